// Starts an embedded Redis, says where it is, and waits to be killed.
import { startEmbeddedRedis } from '../../src/dev/embedded-redis.ts';

const server = await startEmbeddedRedis();
process.stdout.write(`${JSON.stringify({ port: server.port, pid: server.pid })}\n`);

if (process.argv[2] === 'stay') setInterval(() => {}, 60_000);
if (process.argv[2] === 'close') await server.close();
