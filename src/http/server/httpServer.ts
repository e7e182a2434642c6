import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { Server as NetServer, type AddressInfo } from 'node:net';
import { answerClientErrors } from './clientErrors.ts';

export interface HttpServer {
  readonly server: Server;
  /** The requested port, or a free one if 0 was requested. */
  readonly port: number;
  /**
   * Accepts no more connections. For `graceMs` it answers the requests that are under way or already sent. Then it closes the
   * remaining connections. Answers to requests that arrive meanwhile say `Connection: close`. In answers to those that are under
   * way, the application says it (`commonHeaders.ts`).
   */
  close(graceMs: number): Promise<void>;
}

/** How long an idle connection stays open while the server closes: a request may be on its way. */
const LINGER_MS = 2_000;
/** The longest time for a request to arrive: 50 MB at 250 kbit/s. The receiver of uploads finds out when one stalls. */
const LONGEST_REQUEST_MS = 30 * 60_000;

/**
 * Only websockets go to Socket.io. A request for another upgrade (h2c) is answered over HTTP/1.1, without the upgrade.
 */
function wantsWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

/** Starts listening. @throws Error with the system's `code` (`EADDRINUSE`, `EACCES`) */
export async function startHttpServer(
  app: RequestListener,
  { port, host }: { port: number; host?: string },
): Promise<HttpServer> {
  let closing = false;
  const server = createServer(
    { keepAliveTimeout: 65_000, requestTimeout: LONGEST_REQUEST_MS, shouldUpgradeCallback: wantsWebSocket },
    (request, response) => {
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
    const closed = new Promise<void>((resolve) => {
      // close() of node:http destroys idle connections at once, and requests that are on their way are lost.
      NetServer.prototype.close.call(server, () => resolve());
    });
    const idle = setInterval(() => server.closeIdleConnections(), LINGER_MS);
    const grace = setTimeout(() => server.closeAllConnections(), graceMs);
    try {
      await closed;
    } finally {
      clearInterval(idle);
      clearTimeout(grace);
      server.close(() => undefined); // Stops the timer of node:http.
    }
  }

  return { server, port: (server.address() as AddressInfo).port, close };
}
