#!/usr/bin/env node
import { runMain } from './main.ts';
import { flagsFromEnvironment, runRole } from './run-role.ts';

// A worker process configured by its environment: EVERWARM_LOADERS, REDIS_URL, REDIS_QUEUE_URL,
// EVERWARM_NAMESPACE, EVERWARM_STRICT=1, EVERWARM_LOG_LEVEL, EVERWARM_LOG_FORMAT, EVERWARM_HEALTH_PORT,
// EVERWARM_HEALTH_HOST, EVERWARM_METRICS_PORT, EVERWARM_METRICS_HOST, EVERWARM_TRACES=1. The same as `everwarm worker`.
await runMain(() => runRole('worker', flagsFromEnvironment()));
