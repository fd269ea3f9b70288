import { clockTime, LEAST_HOURS, type Peak, type PeakProfile } from '../warm/peak-profile.ts';

const BAR_LENGTH = 20;
const MOST_NAME = 59;
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const weekday = new Intl.DateTimeFormat('en', { weekday: 'short', timeZone: 'UTC' });

/** A loader's profile as text: a row an hour of the day, its peaks, and a plan to copy. */
export function printPeaks(loader: string, profile: PeakProfile): string {
  if (profile.recordedHours === 0) {
    return [
      `no hour of ${loader} has been written down yet.`,
      'Schedulers do so when an hour is over: the first is there within an hour, a day after 24 hours, a week after 7 days.',
    ].join('\n');
  }
  const { timezone, recordedHours } = profile;
  const title = `${loader}: reads an hour, local time of ${timezone}; ${recordedHours} hours were written down in the last 7 days`;
  return [title, '', ...table(profile), '', ...findings(loader, profile)].join('\n');
}

function table({ days, reads, means }: PeakProfile): string[] {
  const most = Math.max(...means.map((mean) => mean ?? 0));
  const head = days.map((day) => `${weekday.format(new Date(day))} ${day.slice(8)}`);
  const rows = reads.map((row, hour) => {
    const mean = means[hour] ?? null;
    const bar = most > 0 ? '█'.repeat(Math.round((BAR_LENGTH * (mean ?? 0)) / most)) : '';
    const cells = [...row, mean].map((cell) => column(cell === null ? '-' : compact.format(cell)));
    return `${clockTime(hour)}${cells.join('')}  ${bar}`.trimEnd();
  });
  return [`     ${[...head, 'mean'].map(column).join('')}`, ...rows];
}

function column(text: string): string {
  return text.padStart(9);
}

function findings(loader: string, { recordedHours, peaks, plan }: PeakProfile): string[] {
  if (recordedHours < LEAST_HOURS) {
    return [`peaks are named once ${LEAST_HOURS} hours are there`];
  }
  if (plan === null) return ['no peak: no hour of the day has 1.5 times the reads of the mean one'];
  return [
    `peaks: ${peaks.map(peakText).join(', ')}`,
    '',
    'a plan that has their keys there in time, for the loaders file:',
    '',
    'export const peak = defineWarmUp({',
    `  name: '${loader.slice(0, MOST_NAME)}-peak',`,
    `  loader: ${identifier(loader)},`,
    `  peakAt: '${plan.peakAt}',`,
    `  timezone: '${plan.timezone}',`,
    `  keys: { hottest: ${plan.hottest.toLocaleString('en').replaceAll(',', '_')}, of: 'expected' },`,
    '});',
  ];
}

function peakText({ fromHour, toHour, times }: Peak): string {
  return `${clockTime(fromHour)} to ${clockTime(toHour)} (${times.toFixed(1)} times the mean hour)`;
}

/** What a loader of that name may well be called in its file. */
function identifier(name: string): string {
  const words = name.split(/[^A-Za-z0-9_]+/).filter((word) => word !== '');
  const [first = 'loader', ...more] = words;
  const camel = `${first}${more.map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`).join('')}`;
  return /^\d/.test(camel) ? `_${camel}` : camel;
}
