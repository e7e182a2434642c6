import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Reply } from '../route.ts';
import { PreparedBytes } from './preparedBytes.ts';

/** A response, without the headers that every response carries. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: Buffer | PreparedBytes | string;
}

const JSON_TYPE = 'application/json; charset=utf-8';

/**
 * Puts a reply into its envelope. An envelope may hold personal data, so caches must not store it unless the reply
 * allows it.
 */
export function answerOf(reply: Reply): Answer {
  if ('bytes' in reply) {
    const headers: Record<string, string> = {
      'Content-Type': reply.contentType,
      'Cache-Control': 'no-cache',
      ...reply.headers,
    };
    if (reply.etag !== undefined) headers['ETag'] = reply.etag;
    return { status: reply.status, headers, body: reply.bytes };
  }
  const { status, message, meta, data } = reply;
  return {
    status,
    headers: {
      'Content-Type': JSON_TYPE,
      'Cache-Control': 'no-store',
      ...(reply.appended !== undefined && { 'X-Event-Position': String(reply.appended.position) }),
      ...(reply.behind === true && { 'X-Projection-Behind': 'true' }),
      ...reply.headers,
    },
    body: status === 204 ? '' : JSON.stringify({ success: true, statusCode: status, message, meta, data }),
  };
}

/** Sends an answer, or 304 when the client has the same bytes already. */
export function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  const { status, headers, body } = answer;
  const etag = headers['ETag'];
  if (typeof etag === 'string' && status === 200 && isKnown(request.headers['if-none-match'], etag)) {
    const { 'Content-Type': _type, ...rest } = headers;
    response.writeHead(304, rest).end();
    return;
  }
  if (status === 204 || status === 304) {
    const { 'Content-Type': _type, ...rest } = headers;
    response.writeHead(status, rest).end();
    return;
  }
  // Node itself leaves out the body of a HEAD request.
  if (typeof body === 'string') {
    response.writeHead(status, { ...headers, 'Content-Length': String(Buffer.byteLength(body)) }).end(body);
  } else {
    const { latin1, contentLength } = body instanceof PreparedBytes ? body : new PreparedBytes(body);
    response.writeHead(status, { ...headers, 'Content-Length': contentLength }).end(latin1, 'latin1');
  }
}

/** Weak comparison (RFC 9110, 13.1.2): the header lists tags, or is `*`. */
function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const opaque = etag.replace(/^W\//, '');
  return ifNoneMatch.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === opaque);
}
