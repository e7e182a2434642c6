import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HttpServer {
  readonly server: Server;
  /** The one that was asked for, or the free one that was found for 0. */
  readonly port: number;
  /** Takes no more connections, lets requests under way finish for `graceMs`, then cuts them off. */
  close(graceMs: number): Promise<void>;
}

/** Starts listening. @throws Error with the system's `code` (`EADDRINUSE`, `EACCES`) when it cannot. */
export async function startHttpServer(app: RequestListener, { port, host }: { port: number; host?: string }): Promise<HttpServer> {
  const server = createServer({ keepAliveTimeout: 65_000, requestTimeout: 300_000 }, app);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, ...(host !== undefined && { host }) }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return { server, port: (server.address() as AddressInfo).port, close: (graceMs) => close(server, graceMs) };
}

async function close(server: Server, graceMs: number): Promise<void> {
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  try {
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeIdleConnections();
    });
  } finally {
    clearTimeout(timer);
  }
}
