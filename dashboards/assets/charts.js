// The charts of the overview: the samples so far, and those that come.
/* global uPlot */
(() => {
  const base = document.body.dataset.base ?? '';
  const COLOURS = ['#c2410c', '#2563eb', '#15803d', '#a21caf', '#b45309', '#0e7490'];
  const STYLES = [
    ['solid', []],
    ['dashed', [8, 4]],
    ['dotted', [2, 3]],
  ];
  const HOUR_S = 3_600;
  const HEIGHT = 190;
  const MEGABYTE = 1_000_000;

  /** With some room above, and no share beyond all. */
  const topOf = (chart, highest) => {
    const top = Math.max(1, (highest ?? 0) * 1.1);
    return chart.endsWith('Percent') ? Math.min(100, top) : top;
  };

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const valuesOf = (sample, chart) =>
    chart === 'memoryBytes' ? sample.memoryBytes.map((bytes) => bytes / MEGABYTE) : sample[chart];

  const dataOf = (samples, chart, lines) => [
    samples.map(({ atMs }) => atMs / 1_000),
    ...lines.map((_, line) => samples.map((sample) => valuesOf(sample, chart)[line] ?? null)),
  ];

  const styleOf = (line) => STYLES[line % STYLES.length];

  const clockText = (_, seconds) =>
    seconds.map((second) => new Date(second * 1_000).toLocaleTimeString([], { hour12: false }));

  const axis = () => ({
    stroke: colour('--faint'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { stroke: colour('--line'), width: 1 },
  });

  const draw = (place, lines, data) => {
    const { chart } = place.dataset;
    place.replaceChildren();
    const series = lines.map((label, line) => ({
      label,
      stroke: COLOURS[line % COLOURS.length],
      dash: styleOf(line)[1],
      width: 2,
      spanGaps: false,
      points: { size: 4 },
    }));
    return new uPlot(
      {
        width: place.clientWidth,
        height: HEIGHT,
        series: [{}, ...series],
        axes: [{ ...axis(), values: clockText, space: 90 }, axis()],
        scales: { y: { range: (_, __, highest) => [0, topOf(chart, highest)] } },
        legend: {
          live: false,
          markers: { width: 3, dash: (_, at) => styleOf(at - 1)?.[0] ?? 'solid' },
        },
        cursor: { show: false },
      },
      data,
      place,
    );
  };

  const start = ({ loaders, samples }) => {
    const plots = new Map();
    const places = [...document.querySelectorAll('[data-chart]')];
    const updateOne = (place) => {
      const { chart } = place.dataset;
      const lines = chart === 'memoryBytes' ? ['cache', 'queue'] : loaders;
      const data = dataOf(samples, chart, lines);
      const plot = plots.get(place);
      if (plot) plot.setData(data);
      else plots.set(place, draw(place, lines, data));
    };
    const update = () => {
      if (samples.length > 0) places.forEach(updateOne);
    };
    document.addEventListener('sample', ({ detail }) => {
      if (detail.atMs <= (samples.at(-1)?.atMs ?? 0)) return;
      samples.push(detail);
      while (samples[0].atMs / 1_000 < detail.atMs / 1_000 - HOUR_S) samples.shift();
      update();
    });
    addEventListener('resize', () => {
      for (const [place, plot] of plots) plot.setSize({ width: place.clientWidth, height: HEIGHT });
    });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      for (const plot of plots.values()) plot.destroy();
      plots.clear();
      update();
    });
    update();
  };

  fetch(`${base}/history.json`)
    .then((response) => response.json())
    .then(start)
    .catch(() => undefined); // The page says by itself that nothing is known.
})();
