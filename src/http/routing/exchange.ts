import { randomUUID } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import type { Metrics } from '../../telemetry/metrics.ts';
import { commonHeadersOf } from '../reply/commonHeaders.ts';

/** Request ids that are safe to repeat in headers and logs. */
const SANE_ID = /^[\w.:/+=-]{1,128}$/;

export interface ExchangeOptions {
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'request'>;
  /** Headers of every response. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * The client's own id if it is safe to repeat, or else a new one. It is the correlation id of everything that the
 * request causes.
 */
export function requestIdOf(response: Response): string {
  return (response.locals as { requestId: string }).requestId;
}

/**
 * Comes first: gives the request its id, sets the headers of every response, and counts and logs the request when it
 * ends.
 */
export function exchange({ logger, metrics, headers }: ExchangeOptions): RequestHandler {
  return (request, response, next) => {
    const started = performance.now();
    const given = request.headers['x-request-id'];
    const requestId = typeof given === 'string' && SANE_ID.test(given) ? given : randomUUID();
    (response.locals as { requestId: string }).requestId = requestId;
    Object.assign(commonHeadersOf(response), headers, { 'X-Request-Id': requestId });
    response.once('close', () => {
      const ms = performance.now() - started;
      // 499: the client disconnected before there was an answer (nginx's status for this).
      const status = response.headersSent ? response.statusCode : 499;
      metrics.request(request.method, status, ms / 1000);
      const level = levelFor(request, status);
      // The path alone: a query string may hold secrets.
      if (logger.isLevelEnabled(level)) {
        logger[level](
          { requestId, method: request.method, path: pathOf(request), status, ms: Math.round(ms * 10) / 10 },
          'request',
        );
      }
    });
    next();
  };
}

function levelFor({ method }: Request, status: number): 'debug' | 'info' | 'warn' {
  if (status >= 500) return 'warn';
  return (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') && status < 400 ? 'debug' : 'info';
}

function pathOf({ originalUrl }: Request): string {
  const end = originalUrl.indexOf('?');
  return end === -1 ? originalUrl : originalUrl.slice(0, end);
}
