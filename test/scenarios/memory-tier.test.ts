import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { ownServer } from '../helpers/cache.ts';
import { Child } from '../helpers/child.ts';
import { hearing, killBuses } from '../helpers/memory.ts';
import { connect } from '../helpers/redis.ts';
import { printed } from '../helpers/system.ts';
import type { VersionedCommand, VersionedReport } from '../processes/versioned-app.ts';

const READERS = 3;
const ROUNDS = 100;

class VersionedApp {
  readonly child: Child;

  constructor(url: string) {
    const env = { ...process.env, EVERWARM_TEST_URL: url };
    this.child = new Child('test/processes/versioned-app.js', [], env);
    onTestFinished(async () => {
      await this.child.end();
    });
  }

  do<T>(command: VersionedCommand): Promise<T> {
    return this.child.ask<T>(command);
  }

  report(): Promise<VersionedReport> {
    return this.do({ do: 'report' });
  }
}

test('what a process reads never goes back, whatever becomes of the bus or of a process', async () => {
  const { url } = await ownServer();
  const redis = connect(url);
  const apps = Array.from({ length: READERS + 1 }, () => new VersionedApp(url));
  await Promise.all(apps.map(({ child }) => printed(child, /ready/)));
  await hearing(redis, 'ns', READERS + 1);
  const [writer, ...readers] = apps as [VersionedApp, ...VersionedApp[]];
  for (const reader of readers) reader.do({ do: 'watch' }).catch(() => undefined);

  let isWritten = false;
  const writing = writer.do({ do: 'write', times: ROUNDS }).finally(() => {
    isWritten = true;
  });
  const [suspended] = readers;
  for (let faults = 0; !isWritten; faults++) {
    if (faults % 3 === 0) await killBuses(redis);
    else suspended?.child.signal(faults % 3 === 1 ? 'SIGSTOP' : 'SIGCONT');
    await delay(300); // The faults' own pace: loads and writes go on meanwhile.
  }
  suspended?.child.signal('SIGCONT');
  await writing;

  const last = { a: ROUNDS, b: ROUNDS, c: ROUNDS };
  for (const reader of readers) {
    // Not by the tier's ttl, which is an hour.
    await expect
      .poll(async () => (await reader.report()).versions, { timeout: 10_000 })
      .toEqual(last);
  }
  for (const app of apps) {
    const report = await app.report();
    expect(report.wentBack).toEqual([]);
    expect(report.errors).toEqual([]);
    expect(report.inMemory).toBeGreaterThan(0);
  }
  for (const reader of readers) await reader.do({ do: 'stop' });
});
