import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadLoaders } from '../../../workers/load-loaders.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'everwarm-loaders-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function file(name: string, text: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, text);
  return path;
}

test('takes loaders and warm-ups by whatever names, single or in arrays, each once', async () => {
  const fixture = fileURLToPath(new URL('../../helpers/loaders-file.ts', import.meta.url));

  const { loaders, warmUps } = await loadLoaders(fixture);

  expect(loaders.map(({ name }) => name)).toEqual(['price', 'stock', 'tax']);
  expect(warmUps.map(({ name }) => name)).toEqual(['morning']);
});

test('refuses a file that does not exist, naming its path and who says it', async () => {
  await expect(loadLoaders('nofile.js')).rejects.toMatchObject({
    code: 'LOADERS_FILE',
    message: `loaders file ${process.cwd()}/nofile.js does not exist (see --loaders, EVERWARM_LOADERS)`,
  });
});

test('refuses a file that exports none, naming what it exports', async () => {
  const none = await file('none.mjs', 'export const port = 1;');

  const refused = loadLoaders(none);

  await expect(refused).rejects.toMatchObject({ code: 'LOADERS_FILE' });
  // The test runner adds a default export.
  await expect(refused).rejects.toThrow(
    /none\.mjs exports no loader \(it exports .*port\): export/,
  );
});

test('refuses a file that throws, with its own words and what it threw', async () => {
  const throws = await file('throws.mjs', 'throw new Error("no database");');

  await expect(loadLoaders(throws)).rejects.toMatchObject({
    code: 'LOADERS_FILE',
    message: `loaders file ${throws} could not be loaded: no database`,
    cause: expect.objectContaining({ message: 'no database' }),
  });
});
