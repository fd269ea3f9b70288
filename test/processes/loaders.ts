// The loaders file of programs under test: `everwarm worker --loaders dist/test/processes/loaders.js`.
import type { AnyLoader } from '../../src/loaders/define-loader.ts';
import { probedLoaders } from './probed-loaders.ts';

export const loaders: readonly AnyLoader[] = probedLoaders();
