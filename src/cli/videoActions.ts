import type { ReadModels } from '../../projections/index.ts';
import { openJobList } from '../app/jobList.ts';
import { pause } from '../core/abortable.ts';
import { queues } from '../features/index.ts';
import { incompleteOf, incompleteVideos, makeMissingExtras, type IncompleteVideo } from '../features/videos/index.ts';
import type { JobList } from '../jobs/jobList.ts';
import { createJobs } from '../jobs/jobs.ts';
import { readProcesses } from '../postgres/processes.ts';
import { createQueryDatabase } from '../postgres/queryDatabase.ts';
import { inTransaction } from '../projecting/transaction.ts';
import { UsageError } from './command.ts';
import { openLog, type OpenedLog } from './openLog.ts';
import { print, printJson } from './output.ts';
import { createProgressBar } from './progressBar.ts';

interface MakeExtrasOptions {
  readonly all?: boolean | undefined;
  readonly wait: boolean;
  readonly json?: boolean | undefined;
}

/** What has become of the jobs. */
interface Outcome {
  readonly open: number;
  readonly failed: readonly { readonly videoId: unknown; readonly error: string | undefined }[];
}

/** Videos whose jobs are added in one transaction. */
const AT_ONCE = 1_000;
const SHOW_EVERY_MS = 1_000;
/** Failures that are listed. */
const MOST_SHOWN = 1_000;

export async function makeExtras(
  signal: AbortSignal,
  ids: readonly string[],
  { all = false, wait, json = false }: MakeExtrasOptions,
): Promise<number> {
  if (all !== (ids.length === 0)) throw new UsageError('Name the videos, or give --all.');
  await using opened = await openLog('videos', signal);
  const db = createQueryDatabase<ReadModels>(opened.pool);
  const videos = all ? await incompleteVideos(db) : await incompleteOf(db, ids);
  const jobIds = videos.length === 0 ? [] : await addJobs(opened, videos, signal);
  const list = openJobList({ db, store: opened.decodedStore });
  const isWaiting = wait && (await hasWorker(opened, json));
  const { open, failed } = await (isWaiting ? follow(list, jobIds, signal) : outcomeOf(list, jobIds));
  if (json) await printJson({ videos: videos.length, open, failed });
  else await print(summary(videos.length, open, failed.length));
  if (!json) for (const { videoId, error } of failed) console.error(`${String(videoId)}: ${error ?? 'it failed'}`);
  return failed.length === 0 ? 0 : 1;
}

async function addJobs(
  { databaseUrl, logger, pool }: OpenedLog,
  videos: readonly IncompleteVideo[],
  signal: AbortSignal,
): Promise<string[]> {
  const jobs = createJobs({ connectionString: databaseUrl, logger, queues });
  const ids: string[] = [];
  try {
    await jobs.start();
    for (let n = 0; n < videos.length; n += AT_ONCE) {
      signal.throwIfAborted();
      const some = videos.slice(n, n + AT_ONCE);
      ids.push(...(await inTransaction(pool, { schema: 'public' }, (tx) => makeMissingExtras(jobs, some, tx))));
    }
  } finally {
    await jobs.close();
  }
  return ids;
}

async function hasWorker({ pool }: OpenedLog, json: boolean): Promise<boolean> {
  const isRunning = (await readProcesses(pool)).some(
    ({ isAlive, role }) => isAlive && (role === 'media' || role === 'serve'),
  );
  if (!isRunning && !json) console.error('No media worker is running. The jobs wait for one.');
  return isRunning;
}

async function follow(list: JobList, ids: readonly string[], signal: AbortSignal): Promise<Outcome> {
  using bar = createProgressBar();
  for (;;) {
    const { waiting, running } = await list.counts(ids);
    const done = ids.length - waiting - running;
    bar.show(ids.length === 0 ? 1 : done / ids.length, `${done} of ${ids.length} videos`);
    if (done === ids.length) return await outcomeOf(list, ids);
    await pause(SHOW_EVERY_MS, signal);
    if (signal.aborted) console.error('The media workers go on. The same command shows how far they are.');
    signal.throwIfAborted();
  }
}

async function outcomeOf(list: JobList, ids: readonly string[]): Promise<Outcome> {
  const { waiting, running } = await list.counts(ids);
  const { jobs } = await list.page({ ids, state: 'failed', limit: MOST_SHOWN });
  const failed = jobs.map(({ about, error }) => ({ videoId: (about as { videoId?: unknown }).videoId, error }));
  return { open: waiting + running, failed };
}

function summary(videos: number, open: number, failed: number): string {
  if (videos === 0) return 'Every one of these videos has a ladder, a storyboard and a preview.\n';
  if (open > 0) return `The media workers will make what ${open} of ${videos} videos lack.\n`;
  return `${videos - failed} of ${videos} videos now have a ladder, a storyboard and a preview.\n`;
}
