import { expect } from 'vitest';
import { compiled } from '../helpers/child.ts';
import { printed, test } from '../helpers/system.ts';
import { tlsServer } from '../helpers/tls.ts';

test('a role takes a rediss:// URL whose authority stands in NODE_EXTRA_CA_CERTS', async ({
  system,
}) => {
  const { url, caFile } = await tlsServer();
  const args = ['worker', '--loaders', compiled('test/processes/loaders.js'), '--redis', url];
  const loaders = [{ name: 'item', ttl: 60_000 }];
  const worker = system.run('src/cli/main.js', [...args, '--strict'], {
    loaders,
    env: { NODE_EXTRA_CA_CERTS: caFile },
  });
  await printed(worker, /\bready\b/);

  const untold = system.run('src/cli/main.js', [...args, '--strict'], { loaders });
  await printed(untold, /self-signed certificate/);
  expect(untold.output).not.toMatch(/\bready\b/);
});
