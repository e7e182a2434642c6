import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findEmbeddedPostgres } from '../src/postgres/embeddedPostgres.ts';
import { createPool } from '../src/postgres/pool.ts';
import { eventually } from '../tests/support/eventually.ts';
import { freePorts } from '../tests/support/freePorts.ts';
import { appendLongLog } from '../tests/support/longLog.ts';
import { noSettings } from '../tests/support/noSettings.ts';
import { reelstream } from '../tests/support/reelstream.ts';

/** What `npm start` runs, on a data folder. */
export interface Started {
  readonly url: string;
  /** From the start of npm until it is ready. */
  readonly readyMs: number;
  /** Of our process, not of npm. */
  readonly pid: number;
  stop(): Promise<void>;
}

export interface BenchFolder extends AsyncDisposable {
  /** `DATA_DIR`; it does not exist yet. */
  readonly dataDir: string;
}

export async function benchFolder(): Promise<BenchFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'reelstream-bench-'));
  return { dataDir: join(folder, 'data'), [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

export async function npmStart({ dataDir }: BenchFolder): Promise<Started> {
  const [port, socketPort] = await freePorts(2);
  const url = `http://127.0.0.1:${port}`;
  const begun = performance.now();
  const npm = spawn('npm', ['start'], {
    env: {
      ...noSettings,
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      DATA_DIR: dataDir,
      PORT: String(port),
      SOCKET_PORT: String(socketPort),
      LOG_LEVEL: 'error',
      RATE_LIMIT_ENABLED: 'false',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(npm, 'exit');
  const stop = async (): Promise<void> => {
    npm.kill('SIGTERM');
    await ended;
    // npm does not wait for our process.
    await eventually(async () => (await findEmbeddedPostgres(dataDir)) === undefined, {
      within: 60_000,
      what: 'PostgreSQL has ended',
    });
  };
  try {
    // A connection that stays open would delay the stop.
    await eventually(async () => (await fetch(`${url}/health/ready`, { headers: { connection: 'close' } })).ok, {
      within: 120_000,
      every: 10,
      what: 'npm start is ready',
    });
    return { url, readyMs: performance.now() - begun, pid: await ownPid(npm.pid!), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** npm runs a shell, which becomes our process. Linux only. */
async function ownPid(npm: number): Promise<number> {
  const [child] = (await readFile(`/proc/${npm}/task/${npm}/children`, 'utf8')).trim().split(' ');
  const command = await readFile(`/proc/${child}/cmdline`, 'utf8');
  if (!command.includes('bin/reelstream.js')) throw new Error(`npm start runs ${command.replaceAll('\0', ' ')}`);
  return Number(child);
}

/** Appends so many events beside the running process, as another process would. */
export async function appendBeside({ dataDir }: BenchFolder, events: number): Promise<void> {
  const pool = createPool({ connectionString: (await findEmbeddedPostgres(dataDir))!, name: 'bench', max: 2 });
  try {
    await appendLongLog(pool, { events });
  } finally {
    await pool.end();
  }
}

/** Waits until every projection has reached the end of the log. */
export async function caughtUp({ url }: Started): Promise<void> {
  const lags = async (): Promise<readonly number[]> => {
    const metrics = await (await fetch(`${url}/metrics`, { headers: { connection: 'close' } })).text();
    return [...metrics.matchAll(/^reelstream_projection_lag_events\{.*\} (\d+)$/gm)].map(([, lag]) => Number(lag));
  };
  await eventually(lags, {
    within: 1_200_000,
    every: 200,
    what: 'every projection has reached the end of the log',
    holds: (all) => all.length > 0 && all.every((lag) => lag === 0),
  });
}

/** Compares the tables with the log. @throws when they differ */
export async function verifyTables({ dataDir }: BenchFolder, projections: readonly string[]): Promise<void> {
  for (const name of projections) {
    const { code, output, errors } = await reelstream(`projections verify ${name}`, { DATA_DIR: dataDir });
    if (code !== 0) throw new Error(`the tables of ${name} differ from the log:\n${output}${errors}`);
  }
}
