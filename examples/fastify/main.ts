import Fastify from 'fastify';
import { everwarm } from './everwarm.js';
import { forecast, type Place } from './loaders.js';

const fastify = Fastify({ logger: { level: 'warn' } });
// biome-ignore lint/nursery/noMisusedPromises: Fastify awaits its plugins
await fastify.register(everwarm, { loaders: [forecast] });

fastify.get<{ Params: Place }>('/forecasts/:country/:city', async (request, reply) => {
  const { country, city } = request.params; // themselves no plain object, so no params of a loader
  const { value, source } = await fastify.cache.getWithMeta(forecast, { country, city });
  reply.header('x-cache', source);
  return value;
});

fastify.delete<{ Params: Place }>('/forecasts/:country', async ({ params }) => ({
  invalidated: await fastify.cache.invalidateTags(`country:${params.country}`),
}));

const address = await fastify.listen({ port: Number(process.env.PORT ?? 8080) });
console.log(`listening on ${address}`);
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => fastify.close());
