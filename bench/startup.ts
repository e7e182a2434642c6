import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../tests/support/eventually.ts';
import { freePorts } from '../tests/support/freePorts.ts';
import { noSettings } from '../tests/support/noSettings.ts';
import type { Benchmark } from './benchmark.ts';

const PROMISED_MS = 5_000;

/** The time from `npm start` to ready, on an empty data folder and on a used one. */
export const startup: Benchmark = {
  name: 'startup',
  async run() {
    const folder = await mkdtemp(join(tmpdir(), 'reelstream-bench-'));
    const promise = { peer: 'what we promise', theirs: PROMISED_MS, unit: 'ms', atMost: 1 };
    try {
      return [
        { what: 'npm start to ready, empty folder', ours: await startAndStop(folder), ...promise },
        { what: 'npm start to ready, used folder', ours: await startAndStop(folder), ...promise },
      ];
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function startAndStop(folder: string): Promise<number> {
  const [port, socketPort] = await freePorts(2);
  const begun = performance.now();
  const child = spawn('npm', ['start'], {
    env: {
      ...noSettings,
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      DATA_DIR: join(folder, 'data'),
      PORT: String(port),
      SOCKET_PORT: String(socketPort),
      LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(child, 'exit');
  try {
    await eventually(async () => (await fetch(`http://127.0.0.1:${port}/health/ready`)).ok, {
      within: 60_000,
      every: 10,
      what: 'npm start is ready',
    });
    return performance.now() - begun;
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}
