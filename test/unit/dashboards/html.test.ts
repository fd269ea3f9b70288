import { expect, it } from 'vitest';
import { Html, html } from '../../../dashboards/pages/html.ts';

it('escapes what could end a text or a quoted attribute', () => {
  const hostile = `<script>alert("1")</script> & 'x' \`y\``;
  expect(html`<a title="${hostile}">${hostile}</a>`.markup).toBe(
    '<a title="&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39; &#96;y&#96;">' +
      '&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39; &#96;y&#96;</a>',
  );
});

it('leaves markup of its own as it is, also in lists', () => {
  const items = ['<1>', '2'].map((text) => html`<li>${text}</li>`);
  expect(html`<ul>${items}</ul>`.markup).toBe('<ul><li>&lt;1&gt;</li><li>2</li></ul>');
});

it('writes nothing for what is absent, and zero as zero', () => {
  expect(html`${null}${undefined}${false}${0}${''}`.markup).toBe('0');
});

it('takes no object for markup that only looks like it', () => {
  const forged = JSON.parse('[{"markup":"<b>"}]') as readonly Html[];
  expect(() => html`${forged}`).toThrow();
  expect(new Html('<b>').markup).toBe('<b>');
});
