import { type ChartPoint, drawChart } from './chart.ts';
import { cellsOf, type Results } from './result-table.ts';

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2430; --soft: #d9dee5; --own: #b3430e; --other: #35608f; --paper: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e8ee; --soft: #343c47; --own: #ff9a5c; --other: #8ab8ea; --paper: #14181e; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
svg { width: 100%; height: auto; font-size: 13px; }
svg text { fill: var(--ink); }
svg .own { fill: var(--own); }
svg .other { fill: var(--other); }
svg .grid { stroke: var(--soft); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; }
th, td { padding: 0.3rem 0.6rem; text-align: right; border-bottom: 1px solid var(--soft); font-variant-numeric: tabular-nums; }
th { vertical-align: bottom; }
th:first-child { text-align: left; }`;

/** The results as one page that needs nothing else: a chart, and the table below it. */
export function formatPage(results: Results, about: string): string {
  const { titles, rows } = cellsOf(results);
  const head = titles.map((lines) => `<th scope="col">${escaped(lines.join(' '))}</th>`).join('');
  const body = rows.map(([name = '', ...cells]) => {
    const row = cells.map((cell) => `<td>${cell}</td>`).join('');
    return `<tr><th scope="row">${escaped(name)}</th>${row}</tr>`;
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>everwarm simulate</title>
<style>${STYLE}
</style>
</head>
<body>
<h1>Which reads wait, and what that costs</h1>
<p>${escaped(about)}</p>
${drawChart(pointsOf(results))}
<div class="wide"><table>
<thead><tr>${head}</tr></thead>
<tbody>
${body.join('\n')}
</tbody>
</table></div>
</body>
</html>
`;
}

function pointsOf(results: Results): ChartPoint[] {
  return [...results].map(([name, { extraLoadsPercent, waitPercent }]) => {
    return { name, extraLoadsPercent: extraLoadsPercent ?? 0, waitPercent: waitPercent ?? 0 };
  });
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
