import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below what the system gives to outgoing connections and to whoever listens on 0: those would take a port between our look and its use. */
const FIRST = 20_000;
/** Ports of one jest worker, so that two workers do not hand out the same. */
const SHARE = 3_000;
const WORKERS = 4;

const start = FIRST + (Number(process.env['JEST_WORKER_ID'] ?? 0) % WORKERS) * SHARE;
// Another run on this machine begins elsewhere.
let next = Math.floor(Math.random() * SHARE);

/** Ports that nobody listens on, on any address, and that this process does not give out again soon. */
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
