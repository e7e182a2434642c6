import type { AddressInfo } from 'node:net';
import type { Application } from 'express';

/** Listens on a free port and tells it to the benchmark, which is the parent process. */
export function listen(app: Application): void {
  const server = app.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
}
