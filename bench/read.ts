// What a read hit costs: in Redis, in the in-process tier, by `getMany`, and with recording on and off;
// against the least that a reader without Everwarm does, and against bentocache. All in one process.
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { startEmbeddedRedis } from '../src/dev/embedded-redis.ts';
import { measureGetMany } from './get-many.ts';
import { measureMemoryHits } from './memory-hits.ts';
import { benchCommand, wholeNumberFrom } from './options.ts';
import { PeerPackages } from './peer-packages.ts';
import type { ReadBench, ReadOptions } from './read-bench.ts';
import { measureRecording } from './recording.ts';
import { measureRedisHits } from './redis-hits.ts';
import { say } from './report.ts';

async function measure(bench: ReadBench): Promise<object> {
  const redisHit = await measureRedisHits(bench);
  const memoryHit = await measureMemoryHits(bench);
  const getMany = await measureGetMany(bench);
  const recording = await measureRecording(bench);
  return { redisHit, memoryHit, getMany, recording };
}

function openPeers(command: Command): PeerPackages {
  try {
    return new PeerPackages();
  } catch (error) {
    return command.error((error as Error).message);
  }
}

function versions(): string {
  const root = new URL('../../', import.meta.url);
  const ours = ['ioredis', 'lru-cache', 'msgpackr'].map((name) => versionOf(name, root));
  const theirs = ['bentocache', 'ioredis'].map((name) => versionOf(name, new URL('bench/', root)));
  return `Node ${process.version}, ${ours.join(', ')}; ${theirs.join(' on ')}.`;
}

// Read as a file: not every package lets its package.json be imported.
function versionOf(name: string, folder: URL): string {
  const text = readFileSync(new URL(`node_modules/${name}/package.json`, folder), 'utf8');
  return `${name} ${(JSON.parse(text) as { version: string }).version}`;
}

const command = benchCommand(
  'read',
  'Read hits in Redis and in the process, getMany and recording, against bare reads and bentocache.',
  21,
)
  .option(
    '--ms <n>',
    'length of a round, in ms; of recording at least 1000',
    wholeNumberFrom(100),
    400,
  )
  .addHelpText('after', '\nThe first run installs bentocache into bench/node_modules.')
  .parse();
const options = command.opts<ReadOptions>();

const peers = openPeers(command);
const server = await startEmbeddedRedis();
try {
  say(`${versions()} ${options.rounds} rounds of ${options.ms} ms for each side, in turn.`);
  const result = await measure({ redisUrl: server.url, peers, options });
  if (options.json) say(JSON.stringify(result));
} finally {
  await server.close();
}
