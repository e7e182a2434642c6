import type { IncomingMessage } from 'node:http';

const LONGEST_MS = 5_000;
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * Throws the rest of a request away for a moment, then cuts the connection if more is still coming. A server that
 * closes a socket with unread bytes in it makes TCP reset the connection, and the client loses the answer that says why.
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
