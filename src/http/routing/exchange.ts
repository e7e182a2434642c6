import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Metrics } from '../../telemetry/metrics.ts';
import { commonHeadersOf, createHeadersCarrier, type CommonHeaders } from '../reply/commonHeaders.ts';

/** Request ids that are safe to repeat in headers and logs. */
const SANE_ID = /^[\w.:/+=-]{1,128}$/;

export interface ExchangeOptions extends CommonHeaders {
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'request'>;
}

const NOTES = Symbol('notes');

/** What the parts that handle a request find out about it. */
export interface RequestNotes {
  /** The path of its route as declared, such as `/api/v1/video/:videoId`. Undefined when no declared route handles it. */
  route: string | undefined;
  /** Undefined when the client sent no valid access token. */
  userId: string | undefined;
  /** Which part of the server answers, where no declared route does. Only for metrics. */
  part: string | undefined;
  /** Of W3C Trace Context: the trace of our span, or else of the client's valid `traceparent`. */
  traceId: string | undefined;
}

type Noted = ServerResponse & { [NOTES]: RequestNotes };

/** The notes about a request, which the log line at its end is made of. */
export function notesOf(response: ServerResponse): RequestNotes {
  return (response as Noted)[NOTES];
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
  ...common
}: ExchangeOptions): (request: IncomingMessage, response: ServerResponse) => void {
  const carry = createHeadersCarrier(common);
  return (request, response) => {
    const started = performance.now();
    const given = request.headers['x-request-id'];
    const requestId = typeof given === 'string' && SANE_ID.test(given) ? given : randomUUID();
    carry(response, { 'X-Request-Id': requestId });
    const notes: RequestNotes = { route: undefined, part: undefined, userId: undefined, traceId: undefined };
    (response as Noted)[NOTES] = notes;
    // Express changes it while it looks for a handler.
    const { method = '', url = '' } = request;
    response.on('close', () => {
      const ms = performance.now() - started;
      // 499: the client disconnected before there was an answer (nginx's status for this).
      const status = response.headersSent ? response.statusCode : 499;
      metrics.request({ method, route: notes.route ?? notes.part ?? 'none', status, seconds: ms / 1000 });
      const level = levelFor(method, status);
      if (logger.isLevelEnabled(level)) {
        const { route, userId, traceId } = notes;
        const where = route === undefined ? { path: beginningOf(url) } : { route };
        // pino leaves out what is undefined.
        logger[level](
          { requestId, traceId, userId, method, ...where, status, ms: Math.round(ms * 10) / 10 },
          'request',
        );
      }
    });
  };
}

function levelFor(method: string, status: number): 'debug' | 'info' | 'warn' {
  if (status >= 500) return 'warn';
  return (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') && status < 400 ? 'debug' : 'info';
}

/** Segments of paths that are safe to log. */
const PLAIN_SEGMENT = /^\/[\w.-]{0,40}/;

/**
 * The first segment of a path that no declared route has, with `…` for the rest. The rest may be secret or personal: the signature of
 * a private file, the name of a user in the address of a page, or the query.
 */
function beginningOf(url: string): string {
  const beginning = PLAIN_SEGMENT.exec(url)?.[0] ?? '';
  return beginning.length === url.length ? url : `${beginning}…`;
}
