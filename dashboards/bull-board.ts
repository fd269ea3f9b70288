import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import type { Queue } from 'bullmq';
import type { Express, RequestHandler } from 'express';
import { messageOf } from '../src/core/errors.ts';
import { openWarmUpQueue } from '../src/queue/warm-up-queue.ts';
import type { DashboardContext } from './context.ts';
import { formatJobData, formatJobName, formatJobResult, keysOfJob } from './job-format.ts';
import { statusOfError } from './pages/error-status.ts';
import { mayChange } from './pages/may-change.ts';

/** Each open tab asks Redis about 50 commands a poll. */
const POLL_INTERVAL_S = 5;
/** What the board would store through these routes is the readable form it was shown, not a refresh job. */
const WRITES_OF_JOB_DATA: readonly string[] = [
  '/api/queues/:queueName/add',
  '/api/queues/:queueName/:jobId/update-data',
];
const FOREIGN_FONTS = /<link href="https:\/\/fonts\.googleapis\.com[^>]*>/g;

/** Bull Board with every loader's queue, and that of warm-ups if there are any: without buttons for who may not change anything. */
export function bullBoard(context: DashboardContext): RequestHandler {
  const { servers, keys, loaders, warmUps, settings, queueOf } = context;
  const queues: Queue[] = [...loaders.values()].map((loader) => queueOf(loader).queue);
  const all = warmUps.length > 0 ? [...queues, openWarmUpQueue(servers.queue, keys)] : queues;
  const boards = {
    operators: createBoard(context, all, { readOnlyMode: false }),
    viewers: createBoard(context, all, { readOnlyMode: true }),
  };
  return (request, response, next) => {
    const board = boards[mayChange(settings, response) ? 'operators' : 'viewers'];
    board(request, response, next);
  };
}

function createBoard(
  context: DashboardContext,
  queues: readonly Queue[],
  mode: { readonly readOnlyMode: boolean },
): Express {
  const { basePath } = context.settings;
  const serverAdapter = new ExpressAdapter().setBasePath(`${basePath}/queues`);
  createBullBoard({
    queues: queues.map((queue) => adaptQueue(queue, context, mode)),
    serverAdapter,
    options: {
      uiConfig: {
        boardTitle: 'Everwarm',
        hideDocsLink: true,
        boardLogo: { path: `${basePath}/assets/icon.svg`, width: 28, height: 28 },
        pollingInterval: { showSetting: false, forceInterval: POLL_INTERVAL_S },
        miscLinks: [
          { text: 'Overview', url: `${basePath}/` },
          { text: 'Keys', url: `${basePath}/keys` },
          { text: 'Warm-ups', url: `${basePath}/warm-ups` },
          { text: 'Doctor', url: `${basePath}/doctor` },
        ],
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
    status: statusOfError(error) as 500,
    body: { error: { key: 'ERRORS.INTERNAL_SERVER_ERROR' }, message: messageOf(error) },
  }));
  const board: Express = serverAdapter.getRouter();
  withoutForeignFonts(board);
  return board.disable('x-powered-by');
}

/** All that a page needs is served from here: nobody else learns who looks at it. */
function withoutForeignFonts(board: Express): void {
  const render = board.render.bind(board) as (
    name: string,
    options: object,
    callback: (error: Error | null, page: string) => void,
  ) => void;
  board.render = ((name: string, options: object, callback: Parameters<typeof render>[2]) => {
    render(name, options, (error, page) => callback(error, page?.replace(FOREIGN_FONTS, '')));
  }) as Express['render'];
}

function adaptQueue(
  queue: Queue,
  { names, loaders, settings }: DashboardContext,
  { readOnlyMode }: { readonly readOnlyMode: boolean },
): BullMQAdapter {
  const isOfLoader = loaders.has(queue.name);
  const adapter = new BullMQAdapter(queue, {
    readOnlyMode,
    ...(isOfLoader && {
      externalJobUrl: (job) => {
        const keys = keysOfJob(job.data);
        const [first] = keys;
        const path = `${settings.basePath}/keys/${queue.name}`;
        if (keys.length === 1 && first !== undefined) {
          return { displayText: 'Its key', href: names.href(queue.name, first) };
        }
        return {
          displayText: 'Its keys',
          href: `${path}?job=${encodeURIComponent(String(job.id))}`,
        };
      },
    }),
  });
  adapter.setFormatter('name', formatJobName);
  if (!isOfLoader) return adapter;
  adapter.setFormatter('data', (data) => formatJobData(data, names));
  adapter.setFormatter('returnValue', (result) => formatJobResult(result, names));
  return adapter;
}
