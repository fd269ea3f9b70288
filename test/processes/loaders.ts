// The loaders file of programs under test: `everwarm worker --loaders dist/test/processes/loaders.js`.
import { Redis } from 'ioredis';
import type { AnyLoader } from '../../src/loaders/define-loader.ts';
import { type Caller, type LoaderSpec, probedLoaders } from './probed-loaders.ts';

const specs = JSON.parse(variable('EVERWARM_TEST_LOADERS')) as readonly LoaderSpec[];

export const loaders: readonly AnyLoader[] = probedLoaders(specs, {
  redis: new Redis(variable('EVERWARM_TEST_URL')),
  namespace: variable('EVERWARM_TEST_NAMESPACE'),
  by: variable('EVERWARM_TEST_CALLER') as Caller,
});

function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: started by hand?`);
  return value;
}
