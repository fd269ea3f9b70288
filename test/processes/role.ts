// A worker or a scheduler with options that the CLI has no flags for; passes its events on to the test.

import { messageOf } from '../../src/core/errors.ts';
import { createScheduler, createWorker, type EventName } from '../../src/index.ts';
import { loaders } from './loaders.ts';

const [role, text = '{}'] = process.argv.slice(2);
const options = {
  redis: process.env.EVERWARM_TEST_URL,
  namespace: process.env.EVERWARM_TEST_NAMESPACE,
  loaders,
  ...(JSON.parse(text) as object),
} as Parameters<typeof createWorker>[0];

const running = role === 'worker' ? createWorker(options) : createScheduler(options);
const told: readonly EventName[] = [
  'refresh:completed',
  'refresh:skipped',
  'refresh:failed',
  'load:failed',
  'lock:lost',
];
for (const name of told) {
  running.on(name, (event) => {
    const error = 'error' in event ? messageOf(event.error) : undefined;
    process.send?.({ event: name, payload: { ...event, error, toldAtMs: Date.now() } });
  });
}
process.once('SIGTERM', () => {
  running.close().then(
    () => process.exit(0),
    () => process.exit(2),
  );
});
await running.ready();
process.stdout.write('ready\n');
