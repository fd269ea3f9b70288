import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { complaintsOf } from '../helpers/compiler.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const modules = join(root, 'node_modules');
/** What the pages' pieces of code may use without saying where it comes from. */
const PRELUDE = `
import type { readFileSync as read } from 'node:fs';
import type * as everwarm from 'everwarm';

declare global {
  interface Product { id: string; price: number }
  interface User { id: string; name: string }
  interface Order { id: string; total: number }
  interface Session { userId: string }
  interface Price { cents: number }
  const readFileSync: typeof read;

  const cache: everwarm.Cache;
  const redis: string;
  const product: everwarm.Loader<string, Product>;
  const users: everwarm.Loader<string, User>;
  const price: everwarm.Loader<string, Price>;
  const one: Price;
  const two: Price;
  const url: (id: string) => string;
  const fields: Pick<everwarm.LoaderDefinition<string, unknown>, 'name' | 'ttl' | 'load'>;
  const load: (id: string) => Promise<Product>;
  const fetchProduct: (id: string, currency: string) => Promise<Product>;
  const id: string;
  const userId: string;
  const changes: object;
  const signal: AbortSignal;
  const broker: { quote(symbol: string, how: { signal: AbortSignal }): Promise<number> };
  const api: { product(id: string, how: { signal: AbortSignal }): Promise<object> };
  class BusyError extends Error {
    readonly waitMs: number;
  }
  const db: {
    product(id: string): Promise<Product>;
    price(id: string, how: { signal: AbortSignal }): Promise<Price>;
    products(ids: readonly string[]): Promise<Product[]>;
    user(id: string): Promise<User>;
    orders(userId: string): Promise<Order[]>;
    update(id: string, changes: object): Promise<Price>;
    updateProduct(id: string, changes: Partial<Product>): Promise<Product>;
    updateUser(id: string, changes: Partial<User>): Promise<User>;
  };
  const Product: {
    encode(product: Product): { finish(): Uint8Array };
    decode(bytes: Uint8Array): Product;
  };
  // biome-ignore lint/suspicious/noExplicitAny: any library of schemas
  const z: any;

  const createCache: typeof everwarm.createCache;
  const createWorker: typeof everwarm.createWorker;
  const createScheduler: typeof everwarm.createScheduler;
  const createRateLimiter: typeof everwarm.createRateLimiter;
  const defineLoader: typeof everwarm.defineLoader;
  const notModified: typeof everwarm.notModified;
  const withEtag: typeof everwarm.withEtag;
  const cached: typeof everwarm.cached;
  const cachedMethod: typeof everwarm.cachedMethod;
}
`;

/** As the repository's own, but that code may be left unfinished where it says so. */
const TSCONFIG = {
  extends: join(root, 'tsconfig.json'),
  compilerOptions: {
    typeRoots: [join(modules, '@types')],
    paths: {
      everwarm: [join(root, 'src/index.ts')],
      'everwarm/dashboard': [join(root, 'dashboards/index.ts')],
      express: [join(modules, '@types/express/index.d.ts')],
      ioredis: [join(modules, 'ioredis/built/index.d.ts')],
      'prom-client': [join(modules, 'prom-client/index.d.ts')],
      '@opentelemetry/api': [join(modules, '@opentelemetry/api/build/src/index.d.ts')],
    },
  },
  include: ['*.ts'],
};

interface Piece {
  readonly page: string;
  /** The line of the page that the code begins on. */
  readonly line: number;
  readonly code: string;
}

function piecesOf(page: string): Piece[] {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(({ index, 1: code = '' }) => ({
    page,
    line: text.slice(0, index).split('\n').length + 1,
    code,
  }));
}

/** What begins with a field's name is a part of a loader's definition. */
function statements(code: string): string {
  return /^\w+: /.test(code) ? `defineLoader<string, any>({ ...fields, ${code}});\n` : code;
}

test('the code on the pages is what the compiler takes', async () => {
  const pages = readdirSync(join(root, 'docs')).filter((file) => file.endsWith('.md'));
  const pieces = ['README.md', ...pages.map((page) => `docs/${page}`)].flatMap(piecesOf);
  expect(pieces.length).toBeGreaterThan(9);
  const files = new Map(pieces.map((piece, at) => [`piece-${at}.ts`, piece]));
  // Each is a module of its own; its lines are those of the page.
  const modulesOf = [...files].map(([file, { line, code }]) => [
    file,
    `${'\n'.repeat(line - 1)}${statements(code)}export {};\n`,
  ]);

  const output = await complaintsOf({
    ...Object.fromEntries(modulesOf),
    'prelude.d.ts': PRELUDE,
    'package.json': '{"type":"module"}',
    'tsconfig.json': JSON.stringify(TSCONFIG),
  });

  const onPages = output.replace(/^\S*?(piece-\d+\.ts)\((\d+),/gm, (_, file, line) => {
    return `${files.get(file)?.page}:${line} (`;
  });
  expect(onPages).toBe('');
}, 60_000);
