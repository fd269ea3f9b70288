import type { DemoOptions } from './options.ts';
import type { TraceName } from './reads.ts';

/** What every process of one side has to know. The loaders file is loaded by three kinds of them, so it travels by environment. */
export interface Settings extends Pick<DemoOptions, 'speed' | 'seconds' | 'ttlSeconds'> {
  readonly redisUrl: string;
  readonly namespace: string;
  /** Which reads are made. */
  readonly trace: TraceName;
  /** Where this side's records come from; a key's number is appended. */
  readonly originUrl: string;
}

const VARIABLE = 'EVERWARM_DEMO_SETTINGS';

export function settingsToEnv(settings: Settings): Record<string, string> {
  return { [VARIABLE]: JSON.stringify(settings) };
}

export function settingsFromEnv(): Settings {
  const text = process.env[VARIABLE];
  if (!text) throw new Error(`${VARIABLE} is not set: this file is started by \`npm run demo\``);
  return JSON.parse(text) as Settings;
}

/** A span of the trace's time as it lasts in the replay. */
export function replayMs(traceMs: number, speed: number): number {
  return Math.round(traceMs / speed);
}
