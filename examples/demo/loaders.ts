import type { Loader } from '../../src/index.ts';
import { dnsLoader } from './dns-loader.ts';
import type { DnsRecord } from './origin-client.ts';
import { settingsFromEnv } from './settings.ts';

// Loaded by the readers, the scheduler and the worker alike: that is how a worker can compute any key.
export const dns: Loader<number, DnsRecord> = dnsLoader(settingsFromEnv());
