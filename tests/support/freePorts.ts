import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the ports that the system assigns. It could assign one of those to another program between our check and its
 * use.
 */
const FIRST = 20_000;
/** Number of ports for one jest worker. No two workers return the same port. */
const SHARE = 3_000;
const WORKERS = 4;

const start = FIRST + (Number(process.env['JEST_WORKER_ID'] ?? 0) % WORKERS) * SHARE;
// Another run on this machine begins at another port.
let next = Math.floor(Math.random() * SHARE);

/** Ports on which no program listens, on any address. This process does not return them again soon. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let tries = 0; ports.length < count; tries += 1) {
    if (tries > SHARE) throw new Error(`no free port from ${start} to ${start + SHARE - 1}`);
    const port = start + (next++ % SHARE);
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, '0.0.0.0'), 'listening');
  } catch {
    return false;
  }
  await once(server.close(), 'close');
  return true;
}
