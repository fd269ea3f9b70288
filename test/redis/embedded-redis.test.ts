import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import {
  type EmbeddedRedis,
  type EmbeddedRedisOptions,
  startEmbeddedRedis,
} from '../../src/dev/embedded-redis.ts';
import { connect } from '../helpers/redis.ts';

async function start(options?: EmbeddedRedisOptions): Promise<EmbeddedRedis> {
  const server = await startEmbeddedRedis(options);
  onTestFinished(() => server.close());
  return server;
}

async function directoryOf(server: EmbeddedRedis): Promise<string> {
  const [, directory] = (await connect(server.url).config('GET', 'dir')) as [string, string];
  expect(basename(directory)).toMatch(/^everwarm-redis-/);
  return directory;
}

/** The processes of the server's session: itself and the shell that watches over it. */
function sessionOf(server: EmbeddedRedis): string {
  return ps('-o', 'pgid=', '-p', String(server.pid));
}

function processesOf(session: string): string[] {
  return ps('-A', '-o', 'pgid=,stat=,pid=,args=')
    .split('\n')
    .filter((line) => {
      const [group, state] = line.trim().split(/\s+/);
      return group === session && !state?.startsWith('Z'); // zombies have ended: init is slow to reap
    });
}

function ps(...args: string[]): string {
  return execFileSync('ps', args, { encoding: 'utf8' }).trim();
}

test('starts a server that answers, under the pid it tells', async () => {
  const server = await start();
  const redis = connect(server.url);

  expect(await redis.ping()).toBe('PONG');
  expect(await redis.info('server')).toContain(`\r\nprocess_id:${server.pid}\r\n`);
  expect(await redis.config('GET', 'save')).toEqual(['save', '']);
  expect(await redis.config('GET', 'bind')).toEqual(['bind', '127.0.0.1']);
});

test('gives two servers at once ports of their own', async () => {
  const [one, other] = await Promise.all([start(), start()]);

  expect(one.port).not.toBe(other.port);
  await connect(one.url).set('key', 'one');
  expect(await connect(other.url).get('key')).toBeNull();
});

test('passes options on to the server', async () => {
  const server = await start({ args: ['--maxmemory-policy', 'allkeys-lru'] });

  const policy = await connect(server.url).config('GET', 'maxmemory-policy');
  expect(policy).toEqual(['maxmemory-policy', 'allkeys-lru']);
});

test('leaves no process and no directory behind when it is closed, once or twice', async () => {
  const server = await start();
  const directory = await directoryOf(server);
  const session = sessionOf(server);
  expect(processesOf(session)).toHaveLength(2);

  await Promise.all([server.close(), server.close()]);

  expect(processesOf(session)).toEqual([]);
  expect(existsSync(directory)).toBe(false);
  await server.close();
});

test('closes a server that is stopped by SIGSTOP', async () => {
  const server = await start();
  const directory = await directoryOf(server);
  const session = sessionOf(server);
  process.kill(server.pid, 'SIGSTOP');

  await server.close();

  expect(processesOf(session)).toEqual([]);
  expect(existsSync(directory)).toBe(false);
});

test.for(['SIGKILL', 'SIGTERM'] as const)('says so when the server ends by %s', async (signal) => {
  const server = await start();
  const directory = await directoryOf(server);
  const session = sessionOf(server);

  process.kill(server.pid, signal);
  await server.exited;

  expect(processesOf(session)).toEqual([]);
  expect(existsSync(directory)).toBe(false);
});

test.for(['SIGKILL', 'SIGTERM'] as const)(
  'ends the server with the shell that dies by %s',
  async (signal) => {
    const server = await start();
    const directory = await directoryOf(server);
    const session = sessionOf(server);

    process.kill(Number(session), signal);
    await server.exited;

    expect(processesOf(session)).toEqual([]);
    expect(existsSync(directory)).toBe(false);
  },
);

test("rejects with the server's own words when its port is taken", async () => {
  const { port } = await start();

  await expect(startEmbeddedRedis({ port })).rejects.toMatchObject({
    code: 'REDIS_UNAVAILABLE',
    message: expect.stringMatching(new RegExp(`port ${port}[^]*Address already in use`)),
  });
});

test("rejects with the server's own words when it refuses an option", async () => {
  await expect(startEmbeddedRedis({ args: ['--no-such-option', '1'] })).rejects.toMatchObject({
    code: 'REDIS_UNAVAILABLE',
    message: expect.stringMatching(/no-such-option/),
  });
});
