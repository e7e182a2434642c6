import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../tests/support/eventually.ts';
import { freePorts } from '../tests/support/systemProcess.ts';

export interface Startup {
  /** Milliseconds from `npm start` to ready: on an empty folder, and on one that was used before. */
  readonly firstMs: number;
  readonly againMs: number;
}

/** `npm start` as a user types it, twice on one data folder. */
export async function benchStartup(): Promise<Startup> {
  const folder = await mkdtemp(join(tmpdir(), 'reelstream-bench-'));
  try {
    return { firstMs: await startAndStop(folder), againMs: await startAndStop(folder) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function startAndStop(folder: string): Promise<number> {
  const [port, socketPort] = await freePorts(2);
  const begun = performance.now();
  const child = spawn('npm', ['start'], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], DATA_DIR: join(folder, 'data'), PORT: String(port), SOCKET_PORT: String(socketPort), LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(child, 'exit');
  try {
    await eventually(async () => (await fetch(`http://127.0.0.1:${port}/health/ready`)).ok, { within: 60_000, every: 10, what: 'npm start is ready' });
    return performance.now() - begun;
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}
