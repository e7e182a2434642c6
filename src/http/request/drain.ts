import type { IncomingMessage } from 'node:http';

const LONGEST_MS = 5_000;
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * Discards the rest of a request, and closes the connection if it does not end in time. Closing a socket that holds
 * unread bytes would reset the connection, and the client would lose the answer.
 * @param longest Milliseconds; 5 000 by default.
 */
export function drainThenClose(request: IncomingMessage, longest = LONGEST_MS): void {
  if (request.complete || request.destroyed) return;
  let left = MOST_BYTES;
  const close = (): void => void request.socket.destroy();
  const timer = setTimeout(close, longest).unref();
  const onData = (chunk: Buffer): void => {
    left -= chunk.length;
    if (left < 0) close();
  };
  request.on('data', onData).resume();
  request.on('error', () => undefined);
  request.once('close', () => clearTimeout(timer));
  request.once('end', () => clearTimeout(timer));
}
