import type { RequestHandler, Response } from 'express';
import { sendError } from '../pages/send-error.ts';
import { cellsOf } from './cells.ts';
import type { Look, Poller } from './poller.ts';

/** Each is a connection; more than so many tabs are not of people. */
const MOST_STREAMS = 200;

/** Server-sent events: what the overview shows, as often as it is asked for. */
export class EventStreams {
  readonly #poller: Poller;
  readonly #open = new Map<Response, () => void>();

  constructor(poller: Poller) {
    this.#poller = poller;
  }

  readonly handler: RequestHandler = (request, response) => {
    if (this.#open.size >= MOST_STREAMS) {
      return sendError(response, 503, `${MOST_STREAMS} pages are open already.`);
    }
    response.set({
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store, no-transform',
      'X-Accel-Buffering': 'no',
    });
    response.flushHeaders();
    const stop = this.#poller.watch((look) => send(response, look));
    this.#open.set(response, stop);
    request.once('close', () => this.#end(response));
  };

  /** How many pages are open. */
  get size(): number {
    return this.#open.size;
  }

  close(): void {
    for (const response of this.#open.keys()) this.#end(response);
  }

  #end(response: Response): void {
    this.#open.get(response)?.();
    this.#open.delete(response);
    response.end();
  }
}

function send(response: Response, look: Look): void {
  // Who does not read gets no more than what is on its way already.
  if (response.writableNeedDrain) return;
  const { snapshot, sample, error } = look;
  const data = snapshot ? { cells: cellsOf(snapshot), sample } : { error };
  response.write(`data: ${JSON.stringify(data)}\n\n`);
}
