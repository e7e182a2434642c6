import { randomUUID } from 'node:crypto';
import { STATUS_CODES, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { failureBody } from '../reply/errorReply.ts';

/** Errors that Node reports before there is a request, by their codes. */
const refusals: Record<string, [status: number, code: string, message: string]> = {
  HPE_HEADER_OVERFLOW: [431, 'headers_too_large', 'The headers are too large; send fewer or shorter ones.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'request_timeout', 'The request took too long to arrive; try again.'],
};
const MALFORMED = [400, 'malformed_request', 'This is not a well-formed HTTP/1.1 request.'] as const;

/** Answers malformed requests in the form of every other failure. Node alone would send a bare status line. */
export function answerClientErrors(server: Server): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex & { _httpMessage?: unknown }) => {
    // The connection is lost, or an answer is being sent: the client would not understand a second one.
    if (!socket.writable || error.code === 'ECONNRESET' || socket._httpMessage) return void socket.destroy();
    const [status, code, message] = refusals[error.code ?? ''] ?? MALFORMED;
    const requestId = randomUUID();
    const body = failureBody(status, { code, message, requestId });
    const headers = {
      Connection: 'close',
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': Buffer.byteLength(body),
      'X-Request-Id': requestId,
    };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`);
  });
}
