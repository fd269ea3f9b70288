import { defineLoader, type Loader } from '../../src/index.ts';
import { type DnsRecord, fetchRecord } from './origin-client.ts';
import { replayMs, settingsFromEnv } from './settings.ts';

// Loaded by the readers, the scheduler and the worker alike: that is how a worker can compute any key.
const { originUrl, ttlSeconds, speed } = settingsFromEnv();

export const dns: Loader<number, DnsRecord> = defineLoader({
  name: 'dns',
  ttl: replayMs(ttlSeconds * 1_000, speed),
  load: (keyId: number, { reason, signal }): Promise<DnsRecord> =>
    fetchRecord(`${originUrl}/${keyId}?reason=${reason}`, signal),
});
