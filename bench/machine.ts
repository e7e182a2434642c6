import { execFile } from 'node:child_process';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { testTools } from '../tests/support/clips.ts';
import { onServer } from '../tests/support/testServer.ts';
import { percentile } from './benchmark.ts';

const run = promisify(execFile);

/** What results depend on, apart from the program. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** GiB. */
  readonly memory: number;
  readonly node: string;
  readonly postgres: string;
  /** PostgreSQL's settings of these names. */
  readonly fsync: string;
  readonly synchronousCommit: string;
  readonly ffmpeg: string;
}

/** `postgres` is the connection string of the server that the benchmarks use. */
export async function describeMachine(postgres: string): Promise<Machine> {
  const [settings] = await onServer<Record<'version' | 'fsync' | 'commit', string>>(
    postgres,
    `select current_setting('server_version') as version, current_setting('fsync') as fsync,
      current_setting('synchronous_commit') as commit`,
  );
  const { ffmpeg } = await testTools();
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memory: Math.round(totalmem() / 2 ** 30),
    node: process.version.slice(1),
    postgres: settings!.version.split(' ')[0]!,
    fsync: settings!.fsync,
    synchronousCommit: settings!.commit,
    ffmpeg: ffmpeg.version,
  };
}

/** The median time to put 8 kB on the disk, in ms: what the commits of this machine cost at least. */
export async function diskFlush(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'reelstream-bench-'));
  const times: number[] = [];
  try {
    await using file = await open(join(folder, 'flushed'), 'w');
    for (let n = 0; n < 200; n++) {
      const begun = performance.now();
      await file.write(Buffer.alloc(8_192, n), 0, 8_192, n * 8_192);
      await file.datasync();
      times.push(performance.now() - begun);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  return Number(percentile(times, 0.5).toPrecision(2));
}

/** The commit that runs, with a plus sign when files of the program or of the benchmarks differ from it. */
export async function currentCommit(): Promise<string> {
  const git = async (...words: string[]): Promise<string> =>
    (await run('git', words, { cwd: import.meta.dirname })).stdout.trim();
  const written = ['bench/results.json', 'bench/README.md', 'bench/speed.svg', 'docs'].map(
    (path) => `:(top,exclude)${path}`,
  );
  const changed = await git('status', '--porcelain', '--', ':(top)', ...written);
  return (await git('rev-parse', '--short=7', 'HEAD')) + (changed === '' ? '' : '+');
}
