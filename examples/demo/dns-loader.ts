import { defineLoader, type Loader } from '../../src/index.ts';
import { type DnsRecord, fetchRecord } from './origin-client.ts';
import { replayMs, type Settings } from './settings.ts';

/** The demo's loader: of its processes, and of its dashboard. */
export function dnsLoader({ originUrl, ttlSeconds, speed }: Settings): Loader<number, DnsRecord> {
  return defineLoader({
    name: 'dns',
    ttl: replayMs(ttlSeconds * 1_000, speed),
    load: (keyId: number, { reason, signal }): Promise<DnsRecord> =>
      fetchRecord(`${originUrl}/${keyId}?reason=${reason}`, signal),
  });
}
