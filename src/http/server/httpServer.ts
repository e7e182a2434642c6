import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { Server as NetServer, type AddressInfo } from 'node:net';
import { answerClientErrors } from './clientErrors.ts';

export interface HttpServer {
  readonly server: Server;
  /** The one that was asked for, or the free one that was found for 0. */
  readonly port: number;
  /**
   * Takes no more connections, answers every request under way or already sent to it, each with `Connection: close`, for
   * `graceMs`, then cuts off the rest.
   */
  close(graceMs: number): Promise<void>;
}

/** How long a connection without a request stays open while closing: one may be on its way, or about to be sent by a client that stalls. */
const LINGER_MS = 2_000;
/** For a request to arrive: 50 MB over a line of 250 kbit/s. An upload that stops coming is found out by its receiver. */
const LONGEST_REQUEST_MS = 30 * 60_000;

/** Only websockets are Socket.io's. Who offers something else (h2c) is answered in HTTP/1.1, as if nobody knew of upgrades. */
function wantsWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

/** Starts listening. @throws Error with the system's `code` (`EADDRINUSE`, `EACCES`) when it cannot. */
export async function startHttpServer(
  app: RequestListener,
  { port, host }: { port: number; host?: string },
): Promise<HttpServer> {
  const unanswered = new Set<ServerResponse>();
  let closing = false;
  const server = createServer(
    { keepAliveTimeout: 65_000, requestTimeout: LONGEST_REQUEST_MS, shouldUpgradeCallback: wantsWebSocket },
    (request, response) => {
      unanswered.add(response);
      response.once('close', () => unanswered.delete(response));
      if (closing) response.setHeader('Connection', 'close');
      app(request, response);
    },
  );
  answerClientErrors(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, ...(host !== undefined && { host }) }, () => {
      server.off('error', reject);
      resolve();
    });
  });

  async function close(graceMs: number): Promise<void> {
    closing = true;
    for (const response of unanswered) if (!response.headersSent) response.setHeader('Connection', 'close');
    const closed = new Promise<void>((resolve) => {
      // http's own close() destroys idle connections at once, and with them the requests that are on their way.
      NetServer.prototype.close.call(server, () => resolve());
    });
    const idle = setInterval(() => server.closeIdleConnections(), LINGER_MS);
    const grace = setTimeout(() => server.closeAllConnections(), graceMs);
    try {
      await closed;
    } finally {
      clearInterval(idle);
      clearTimeout(grace);
      server.close(() => undefined); // Ends the timer of http's own.
    }
  }

  return { server, port: (server.address() as AddressInfo).port, close };
}
