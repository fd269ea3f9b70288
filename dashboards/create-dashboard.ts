import express, { type Express } from 'express';
import { InvalidOptionError } from '../src/core/errors.ts';
import type { EventName, Listener } from '../src/core/events.ts';
import { type Health, healthOf } from '../src/core/health.ts';
import { silence } from '../src/redis/server-answers.ts';
import { keyAction } from './actions/key-action.ts';
import { loaderAction } from './actions/loader-action.ts';
import { warmUpAction } from './actions/warm-up-action.ts';
import { assetRoutes } from './assets.ts';
import { bullBoard } from './bull-board.ts';
import { hostGuard } from './host-guard.ts';
import { EventStreams } from './live/event-stream.ts';
import { examine } from './live/examine.ts';
import { Poller } from './live/poller.ts';
import { readSnapshot } from './live/snapshot.ts';
import { openContext } from './open-context.ts';
import { type DashboardOptions, resolveDashboard } from './options.ts';
import { answerError, answerNotFound } from './pages/answer-error.ts';
import { doctorPage } from './pages/doctor.ts';
import { keysPage } from './pages/keys.ts';
import { loaderPage } from './pages/loader-route.ts';
import { overviewPage } from './pages/overview.ts';
import { warmUpsPage } from './pages/warm-ups.ts';
import { publishFleet } from './publish-fleet.ts';
import { audit } from './security/audit.ts';
import { authenticate } from './security/authenticate.ts';
import { changeGate } from './security/change-gate.ts';
import { Csrf } from './security/csrf.ts';
import { boardHeaders, pageHeaders } from './security/headers.ts';

/** A key text of 4 KB, percent-encoded, and the rest of a form. */
const MOST_BODY = '32kb';

export interface Dashboard {
  /** An Express app of its own, to be mounted at `basePath`. */
  readonly router: Express;
  /** Of its own connections: `redis:failed`, `server:unsuitable`. */
  on<N extends EventName>(name: N, listener: Listener<N>): () => void;
  /**
   * Resolves once Redis has answered, or after 5 s without it: pages say so themselves.
   *
   * @throws EverwarmError when `strict` and Redis is unreachable or unsuitable
   */
  ready(): Promise<void>;
  /** Whether the queue server answers. */
  health(): Promise<Health>;
  /** Ends open pages' streams, and closes the connections. */
  close(): Promise<void>;
}

/**
 * The dashboard as an Express app: overview, keys, warm-ups, checks and, at `/queues`, Bull Board. It opens
 * connections of its own.
 *
 * Without `auth` whoever can reach it can refresh and delete keys, and pause, empty and delete queues.
 *
 * @throws InvalidOptionError naming the option, its value and the rule
 */
export function createDashboard(options: DashboardOptions): Dashboard {
  const settings = resolveDashboard(options);
  refuseDuplicates(options);
  const guard = hostGuard(settings.allowedHosts);
  const auth = authenticate(settings);
  const context = openContext(options, settings);
  const poller = new Poller(() => readSnapshot(context));
  const streams = new EventStreams(poller);
  const endPublishing = publishFleet(context);
  const csrf = new Csrf(settings.basePath);

  const app = express().disable('x-powered-by');
  app.use((_request, response, next) => {
    response.locals.basePath = settings.basePath;
    next();
  });
  app.use(guard);
  app.use(pageHeaders());
  app.get('/healthz', (_request, response) => void response.type('text/plain').send('ok'));
  app.use('/assets', assetRoutes());
  app.use(audit(settings.onAudit), ...auth, csrf.issue);
  app.use('/actions', express.urlencoded({ extended: false, limit: MOST_BODY }));
  app.use(changeGate({ csrf, readOnly: settings.readOnly }));

  app.get('/', overviewPage(context, poller));
  app.get('/events', streams.handler);
  app.get('/history.json', (_request, response) => {
    const { samples } = poller.history;
    response
      .set('Cache-Control', 'no-store')
      .json({ loaders: [...context.loaders.keys()], samples });
  });
  app.get('/keys', keysPage(context));
  app.get('/keys/:loader{/:key}', loaderPage(context));
  app.get('/warm-ups', warmUpsPage(context));
  app.get(
    '/doctor',
    doctorPage(() => examine(context, options)),
  );
  app.post('/actions/key', keyAction(context));
  app.post('/actions/loader', loaderAction(context));
  app.post('/actions/warm-up', warmUpAction(context));
  app.use('/queues', boardHeaders(), bullBoard(context));
  app.use(answerNotFound);
  app.use(answerError(context));

  const close = async (): Promise<void> => {
    streams.close();
    poller.close();
    await endPublishing();
    context.servers.close();
    await context.cache.close();
  };
  const health = async (): Promise<Health> =>
    healthOf([await silence(context.servers.queue, 'queue')]);
  return {
    router: app,
    on: (name, listener) => context.events.on(name, listener),
    ready: () => context.servers.ready(),
    health,
    close,
  };
}

/** Bull Board finds queues by name: of two with the same one, the first would silently disappear. */
function refuseDuplicates({ loaders }: DashboardOptions): void {
  const names = new Set<string>();
  for (const { name } of loaders) {
    if (names.has(name)) {
      throw new InvalidOptionError('dashboard.loaders', name, 'must not name a loader twice');
    }
    names.add(name);
  }
}
