import { afterEach, expect, test, vi } from 'vitest';
import { flagsFromEnvironment } from '../../../workers/run-role.ts';

afterEach(() => vi.unstubAllEnvs());

test.for([
  ['EVERWARM_HEALTH_PORT', 'abc', '`EVERWARM_HEALTH_PORT` ("abc") must be a port, from 0 to 65535'],
  ['EVERWARM_METRICS_PORT', '70000', '`EVERWARM_METRICS_PORT` ("70000") must be a port'],
  ['EVERWARM_SHADOW', 'yes', '`EVERWARM_SHADOW` ("yes") must be 1 or 0'],
  ['EVERWARM_STRICT', 'on', '`EVERWARM_STRICT` ("on") must be 1 or 0'],
] as const)('%s=%s is refused, naming variable, value and rule', ([name, value, message]) => {
  vi.stubEnv(name, value);
  expect(flagsFromEnvironment).toThrow(message);
});

test('takes ports, yes and no; what is empty is not given', () => {
  vi.stubEnv('EVERWARM_HEALTH_PORT', '8080');
  vi.stubEnv('EVERWARM_METRICS_PORT', '');
  vi.stubEnv('EVERWARM_STRICT', '1');
  vi.stubEnv('EVERWARM_SHADOW', 'true');
  vi.stubEnv('EVERWARM_TRACES', '0');
  expect(flagsFromEnvironment()).toMatchObject({
    healthPort: 8_080,
    metricsPort: undefined,
    strict: true,
    shadow: true,
    traces: false,
  });
});
