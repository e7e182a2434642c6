import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive } from '../../src/core/isAlive.ts';

/**
 * Below the ports that the system assigns. It could assign one of those to another program between our check and its
 * use.
 */
const FIRST = 20_000;
/** Number of ports for one jest worker. No two workers of a run return the same port. */
const SHARE = 3_000;
const WORKERS = 4;

const start = FIRST + (Number(process.env['JEST_WORKER_ID'] ?? 0) % WORKERS) * SHARE;
// Another run on this machine begins at another port.
let next = Math.floor(Math.random() * SHARE);

/**
 * Ports on which no program listens, on any address. Until this process ends, no other run on this machine returns them,
 * since it may take seconds until a program listens there.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let tries = 0; ports.length < count; tries += 1) {
    if (tries > SHARE) throw new Error(`no free port from ${start} to ${start + SHARE - 1}`);
    const port = start + (next++ % SHARE);
    if (take(port) && (await isFree(port))) ports.push(port);
  }
  return ports;
}

/** A file for each port that is taken, with the id of the process that took it. */
const taken = join(tmpdir(), 'reelstream-test-ports');

/** Whether the port is now this process's. */
function take(port: number): boolean {
  mkdirSync(taken, { recursive: true, mode: 0o777 });
  const path = join(taken, String(port));
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    return takeOver(path);
  }
}

/** Takes a port whose process has ended, or which this process had before. */
function takeOver(path: string): boolean {
  try {
    const owner = Number(readFileSync(path, 'utf8'));
    if (owner !== process.pid && isAlive(owner)) return false;
    writeFileSync(path, String(process.pid));
    return true;
  } catch {
    // It belongs to another user.
    return false;
  }
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
