import type { RequestListener } from 'node:http';
import { messageOf } from '../core/errors.ts';

/** What is used of prom-client's `Registry` to answer a scrape. */
export interface ScrapedRegistry {
  readonly contentType: string;
  metrics(): Promise<string>;
}

/** Answers a scrape with all metrics of a registry. */
export function metricsHandler(registry: ScrapedRegistry): RequestListener {
  return (_request, response) => {
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      (error: unknown) => response.writeHead(500).end(`${messageOf(error)}\n`),
    );
  };
}
