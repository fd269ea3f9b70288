// Keeps a page's figures up to date, and says when the dashboard or Redis is away.
(() => {
  const base = document.body.dataset.base ?? '';
  const banner = document.getElementById('connection');
  const cells = new Map(
    [...document.querySelectorAll('[data-cell]')].map((cell) => [cell.dataset.cell, cell]),
  );
  // A page that could not be shown is worth another try; the others have nothing that changes.
  const outage = document.querySelector('[data-outage]');
  if (!banner || (cells.size === 0 && !outage)) return;

  let source = null;

  const tell = (text) => {
    banner.hidden = text === '';
    if (banner.textContent !== text) banner.textContent = text;
  };

  const show = (cell, { text, tone }) => {
    if (cell.textContent !== text) cell.textContent = text;
    cell.dataset.tone = tone;
  };

  const onMessage = ({ data }) => {
    const look = JSON.parse(data);
    if (look.error !== undefined) {
      tell(`${look.error} What is shown is from before.`);
      return;
    }
    if (outage) return location.reload();
    tell('');
    for (const [name, cell] of Object.entries(look.cells)) {
      const shown = cells.get(name);
      if (shown) show(shown, cell);
    }
    if (look.sample) document.dispatchEvent(new CustomEvent('sample', { detail: look.sample }));
  };

  const open = () => {
    source = new EventSource(`${base}/events`);
    source.onmessage = onMessage;
    source.onerror = () => {
      tell('The dashboard does not answer; trying again.');
      // What was answered with an error the browser does not ask for again.
      if (source?.readyState === EventSource.CLOSED)
        setTimeout(() => !document.hidden && reopen(), 5_000);
    };
  };

  const reopen = () => {
    source?.close();
    open();
  };

  // A browser has six connections for one server: tabs in the background must not hold them all.
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) source?.close();
    else reopen();
  });
  if (!document.hidden) open();
})();
