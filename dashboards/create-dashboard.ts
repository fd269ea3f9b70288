import { STATUS_CODES } from 'node:http';
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import type { Queue } from 'bullmq';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import { InvalidOptionError, messageOf, printValue } from '../src/core/errors.ts';
import { hostGuard } from './host-guard.ts';

const QUEUES_PATH = '/queues';
/** Each open tab asks Redis about 50 commands a poll. */
const POLL_INTERVAL_S = 5;
/** What the board would store through these routes is the readable form it was shown, not a refresh job. */
const WRITES_OF_JOB_DATA: readonly string[] = [
  '/api/queues/:queueName/add',
  '/api/queues/:queueName/:jobId/update-data',
];

export interface CreateDashboardOptions {
  /** One queue per loader. They stay the caller's: the dashboard never closes them. */
  readonly queues: readonly Queue[];
  /** Names the dashboard may be reached by, beside the loopback ones. @defaultValue `[]` */
  readonly allowedHosts?: readonly string[];
}

/**
 * The dashboard as an Express app: Bull Board with every loader's queue at `/queues`, and `/healthz`.
 *
 * It has no login; the host guard only keeps other web pages out. Whoever can open it can pause, empty
 * and delete queues.
 *
 * @throws InvalidOptionError when two queues have the same name, or an allowed host is not a host name
 */
export function createDashboard({ queues, allowedHosts = [] }: CreateDashboardOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(hostGuard(allowedHosts));
  app.get('/', (_request, response) => response.redirect(QUEUES_PATH));
  app.get('/healthz', (_request, response) => void response.type('text/plain').send('ok'));
  app.use(QUEUES_PATH, createBoard(queues));
  app.use(answerNotFound);
  app.use(answerError);
  return app;
}

function createBoard(queues: readonly Queue[]): Express {
  refuseDuplicates(queues);
  const serverAdapter = new ExpressAdapter().setBasePath(QUEUES_PATH);
  createBullBoard({
    queues: queues.map(adaptQueue),
    serverAdapter,
    options: {
      uiConfig: {
        boardTitle: 'Everwarm',
        pollingInterval: { showSetting: false, forceInterval: POLL_INTERVAL_S },
      },
      handlerHooks: {
        before: ({ route }) =>
          WRITES_OF_JOB_DATA.includes(route)
            ? { allow: false, message: "only Everwarm's scheduler writes refresh jobs" }
            : { allow: true },
      },
    },
  });
  // After createBullBoard, whose own handler answers with the stack when NODE_ENV is "development".
  serverAdapter.setErrorHandler((error) => ({
    status: statusOf(error),
    body: { error: { key: 'ERRORS.INTERNAL_SERVER_ERROR' }, message: messageOf(error) },
  }));
  const board: Express = serverAdapter.getRouter();
  return board.disable('x-powered-by');
}

/** Bull Board finds queues by name: of two with the same one, the first would silently disappear. */
function refuseDuplicates(queues: readonly Queue[]): void {
  const names = new Set<string>();
  for (const { name } of queues) {
    if (names.has(name)) {
      throw new InvalidOptionError('dashboard.queues', name, 'must not name a queue twice');
    }
    names.add(name);
  }
}

function adaptQueue(queue: Queue): BullMQAdapter {
  const adapter = new BullMQAdapter(queue);
  adapter.setFormatter('name', formatJobName);
  adapter.setFormatter('data', formatJobData);
  return adapter;
}

interface ReadableJob {
  readonly loader: string;
  readonly version?: unknown;
  readonly reason?: unknown;
  readonly deadlineAtMs?: unknown;
  readonly keys: readonly unknown[];
}

/** Anybody can put anything on a queue, and one formatter that throws would blank the whole board. */
function isReadableJob(jobData: unknown): jobData is ReadableJob {
  if (typeof jobData !== 'object' || jobData === null) return false;
  return 'loader' in jobData && typeof jobData.loader === 'string' && hasKeys(jobData);
}

function hasKeys(jobData: object): boolean {
  return 'keys' in jobData && Array.isArray(jobData.keys);
}

function formatJobName(job: { readonly name?: unknown; readonly data?: unknown }): string {
  if (!isReadableJob(job.data)) return String(job.name ?? '');
  const { loader, keys } = job.data;
  return `${loader} × ${keys.length} ${keys.length === 1 ? 'key' : 'keys'}`;
}

function formatJobData(jobData: unknown): unknown {
  if (!isReadableJob(jobData)) return jobData;
  const { loader, version, reason, deadlineAtMs, keys } = jobData;
  return { loader, version, reason, deadline: formatInstant(deadlineAtMs), keys };
}

function formatInstant(atMs: unknown): unknown {
  const date = new Date(typeof atMs === 'number' ? atMs : Number.NaN);
  return Number.isNaN(date.getTime()) ? atMs : date.toISOString();
}

const answerNotFound: RequestHandler = (request, response) => {
  const text = `404 ${STATUS_CODES[404]}: nothing at ${printValue(request.originalUrl)}; the queues are at ${QUEUES_PATH}\n`;
  response.status(404).type('text/plain').send(text);
};

/** The client learns the status, the log the reason: an error's text may quote Redis' address or a path. */
// biome-ignore lint/complexity/useMaxParams: Express tells an error handler by its four parameters
const answerError: ErrorRequestHandler = (error, request, response, _next) => {
  const status = statusOf(error);
  if (status >= 500) {
    const text = `dashboard: ${request.method} ${request.path} failed: ${messageOf(error)}`;
    process.emitWarning(text, 'EverwarmWarning');
  }
  if (response.headersSent) return void response.destroy();
  response.status(status).type('text/plain').send(`${status} ${STATUS_CODES[status]}\n`);
};

/** Express' own errors, as for a path or body it cannot decode, carry the status to answer with. */
function statusOf(error: unknown): 400 | 404 | 500 {
  const status = error instanceof Error && 'status' in error ? error.status : 500;
  return status === 400 || status === 404 ? status : 500;
}
