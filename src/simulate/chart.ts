import { type Label, placeLabels } from './label-places.ts';

/** One policy: what it costs and what it is worth. */
export interface ChartPoint {
  readonly name: string;
  readonly extraLoadsPercent: number;
  readonly waitPercent: number;
}

const WIDTH = 860;
const HEIGHT = 520;
const LEFT = 60;
const RIGHT = 130;
const TOP = 20;
const BOTTOM = 60;
const TICKS = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];

/** Turns a percentage into a place on the chart. */
type Scale = (percent: number) => number;

/**
 * Waits against extra loads as inline SVG, colours by the page's style. The axis of loads goes by square
 * roots: what is cheap lies close together, and one policy may cost a hundred times as much.
 */
export function drawChart(points: readonly ChartPoint[]): string {
  const costs = points.map(({ extraLoadsPercent }) => extraLoadsPercent);
  const least = root(Math.min(0, ...costs));
  const most = Math.max(1, root(Math.max(0, ...costs)));
  const highest = niceTop(Math.max(1, ...points.map(({ waitPercent }) => waitPercent)));
  const x: Scale = (percent) =>
    LEFT + ((root(percent) - least) / (most - least)) * (WIDTH - LEFT - RIGHT);
  const y: Scale = (percent) => HEIGHT - BOTTOM - (percent / highest) * (HEIGHT - TOP - BOTTOM);
  const placed = points.map(({ name, extraLoadsPercent, waitPercent }) => {
    return { x: x(extraLoadsPercent), y: y(waitPercent), text: name };
  });
  const marks = placed.map(({ x, y, text }) => {
    const kind = text.startsWith('everwarm') ? 'own' : 'other';
    return `<circle class="${kind}" cx="${at(x)}" cy="${at(y)}" r="5"/>`;
  });
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Reads that wait against extra loads, one point a policy">`,
    ...xAxis(x, most),
    ...yAxis(y, highest),
    ...marks,
    ...placeLabels(placed, WIDTH).map(drawLabel),
    '</svg>',
  ].join('\n');
}

function xAxis(x: Scale, most: number): string[] {
  const floor = HEIGHT - BOTTOM;
  const ticks = TICKS.filter((percent) => root(percent) <= most).map((percent) => {
    const line = `<line class="grid" x1="${at(x(percent))}" y1="${TOP}" x2="${at(x(percent))}" y2="${floor}"/>`;
    return `${line}<text x="${at(x(percent))}" y="${floor + 18}" text-anchor="middle">${percent}</text>`;
  });
  const middle = (LEFT + WIDTH - RIGHT) / 2;
  const title = 'origin loads over those of plain, % (square-root scale)';
  return [...ticks, `<text x="${middle}" y="${HEIGHT - 16}" text-anchor="middle">${title}</text>`];
}

function yAxis(y: Scale, highest: number): string[] {
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const percent = share * highest;
    const line = `<line class="grid" x1="${LEFT}" y1="${at(y(percent))}" x2="${WIDTH - RIGHT}" y2="${at(y(percent))}"/>`;
    return `${line}<text x="${LEFT - 8}" y="${at(y(percent) + 4)}" text-anchor="end">${at(percent)}</text>`;
  });
  const middle = (TOP + HEIGHT - BOTTOM) / 2;
  const turned = `transform="rotate(-90 16 ${middle})"`;
  return [
    ...ticks,
    `<text x="16" y="${middle}" text-anchor="middle" ${turned}>reads that wait, %</text>`,
  ];
}

function drawLabel({ x, y, text, anchor }: Label): string {
  const own = text.startsWith('everwarm') ? ' class="own"' : '';
  return `<text${own} x="${at(x)}" y="${at(y + 4)}" text-anchor="${anchor}">${text}</text>`;
}

function root(percent: number): number {
  return Math.sign(percent) * Math.sqrt(Math.abs(percent));
}

/** The least of some round numbers that is not lower: quarters of it are round, too. */
function niceTop(percent: number): number {
  const steps = [1, 2, 4, 8, 12, 20, 28, 40, 60, 80, 100];
  return steps.find((step) => step >= percent) ?? 100;
}

function at(place: number): string {
  return String(Math.round(10 * place) / 10);
}
