import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Metrics } from '../../telemetry/metrics.ts';
import { carryCommonHeaders, commonHeadersOf } from '../reply/commonHeaders.ts';

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
export function requestIdOf(response: ServerResponse): string {
  return commonHeadersOf(response)['X-Request-Id']!;
}

/**
 * Comes first, whichever door answers: gives the request its id and the response the headers of every response. Counts
 * and logs the request when it ends.
 */
export function exchange({
  logger,
  metrics,
  headers,
}: ExchangeOptions): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const started = performance.now();
    const given = request.headers['x-request-id'];
    const requestId = typeof given === 'string' && SANE_ID.test(given) ? given : randomUUID();
    carryCommonHeaders(response, { ...headers, 'X-Request-Id': requestId });
    // Express changes it while it looks for a handler.
    const { method = '', url = '' } = request;
    response.on('close', () => {
      const ms = performance.now() - started;
      // 499: the client disconnected before there was an answer (nginx's status for this).
      const status = response.headersSent ? response.statusCode : 499;
      metrics.request(method, status, ms / 1000);
      const level = levelFor(method, status);
      if (logger.isLevelEnabled(level)) {
        logger[level]({ requestId, method, path: pathOf(url), status, ms: Math.round(ms * 10) / 10 }, 'request');
      }
    });
  };
}

function levelFor(method: string, status: number): 'debug' | 'info' | 'warn' {
  if (status >= 500) return 'warn';
  return (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') && status < 400 ? 'debug' : 'info';
}

/** See `SignedPaths`. */
const SIGNATURE = /\/\d+\.[\w-]{43}\//;

/** Without what may be secret: the query string, and the signature of a private file, with which a reader of the log could fetch it. */
function pathOf(url: string): string {
  const end = url.indexOf('?');
  return (end === -1 ? url : url.slice(0, end)).replace(SIGNATURE, '/signature/');
}
