import { describe, expect } from 'vitest';
import type { Child } from '../helpers/child.ts';
import { type App, printed, type System, test } from '../helpers/system.ts';
import type { ReadReport } from '../processes/app.ts';
import type { Hold, LoaderSpec, ProbedCall } from '../processes/probed-loaders.ts';

const KEYS = ['a', 'b', 'c', 'd', 'e'];
const loaders: LoaderSpec[] = [{ name: 'item', ttl: '1s' }];

interface Busy {
  readonly app: App;
  readonly worker: Child;
  /** The reads that keep the keys hot, until told to stop. */
  readonly reading: Promise<ReadReport[]>;
  readonly held: readonly ProbedCall[];
}

/** A worker that is refreshing every key, its loads waiting at the gate. */
async function startBusyWorker(
  system: System,
  given: { flags: readonly string[]; how: Hold },
): Promise<Busy> {
  const [app, worker] = await Promise.all([
    system.app(loaders),
    system.everwarm('worker', loaders, given.flags),
    system.schedulerHere(loaders),
  ]);
  await system.probe.holdNext('worker', { count: KEYS.length, how: given.how });
  const reading = Promise.all(KEYS.map((key) => app.read('item', key)));
  const like = { isHeld: true, pid: worker.pid } as const;
  const held = await Promise.all(KEYS.map((key) => system.probe.call({ ...like, key })));
  return { app, worker, reading, held };
}

/** Which of these locks have not been freed; readers may hold others by now. */
async function stillHeld(system: System, tokens: readonly string[]): Promise<string[]> {
  return (await system.lockTokens()).filter((token) => tokens.includes(token));
}

/** Another worker refreshes every key. */
async function expectTakeover(system: System): Promise<void> {
  await system.workerHere(loaders);
  const like = { stage: 'finished', reason: 'refresh', pid: process.pid } as const;
  await Promise.all(KEYS.map((key) => system.probe.call({ ...like, key })));
}

describe.concurrent('a worker that is loading', () => {
  test('finishes its loads within the grace, frees their locks and exits with 0 on SIGTERM', async ({
    system,
  }) => {
    const { app, worker, reading, held } = await startBusyWorker(system, {
      flags: [],
      how: 'obedient',
    });
    const tokens = await system.lockTokens();
    expect(tokens).toHaveLength(KEYS.length);

    worker.signal('SIGTERM');
    await printed(worker, /SIGTERM: closing/);
    await system.probe.openGate(KEYS.length);

    expect(await worker.exited).toEqual({ code: 0, signal: null });
    expect(await stillHeld(system, tokens)).toEqual([]);
    expect(await system.probe.calls({ isHeld: true, stage: 'finished' })).toHaveLength(KEYS.length);
    await expectTakeover(system);
    await app.stopReading();
    // What it loaded while closing was stored, and read.
    const reports = await reading;
    for (const [at, { n }] of held.entries()) expect(reports[at]?.loads).toContain(n);
  });

  test.for(['obedient', 'deaf'] as const)(
    'aborts loads that outlast the grace (%s to their signal), and others take over',
    async (how, { system }) => {
      const { app, worker, reading } = await startBusyWorker(system, {
        flags: ['--grace', '300ms'],
        how,
      });
      const tokens = await system.lockTokens();
      expect(tokens).toHaveLength(KEYS.length);

      worker.signal('SIGTERM');

      expect(await worker.exited).toEqual({ code: 0, signal: null });
      expect(worker.output).toMatch(/worker closed/);
      expect(await stillHeld(system, tokens)).toEqual([]);
      const aborted = await system.probe.calls({ stage: 'aborted', pid: worker.pid });
      expect(aborted).toHaveLength(how === 'obedient' ? KEYS.length : 0);
      await expectTakeover(system);
      await app.stopReading();
      await reading;
    },
  );

  test('exits with 1 at once on a second signal', async ({ system }) => {
    const { app, worker, reading } = await startBusyWorker(system, { flags: [], how: 'deaf' });

    worker.signal('SIGTERM');
    await printed(worker, /SIGTERM: closing/);
    worker.signal('SIGTERM');

    expect(await worker.exited).toEqual({ code: 1, signal: null });
    await expectTakeover(system);
    await app.stopReading();
    await reading;
  });
});
