import { v7 } from 'uuid';
import { openJobList } from '../app/jobList.ts';
import { jobView } from '../features/operators/index.ts';
import type { JobFilter, JobList } from '../jobs/jobList.ts';
import { createQueryDatabase } from '../postgres/queryDatabase.ts';
import { openLog, type OpenedLog } from './openLog.ts';
import { print, printJson, printTable, type Cell } from './output.ts';

type Listed = ReturnType<typeof jobView>;

export async function list(
  signal: AbortSignal,
  { json = false, ...filter }: JobFilter & { json?: boolean | undefined },
): Promise<number> {
  await using opened = await openLog('jobs', signal);
  const { jobs } = await jobsOf(opened).page(filter);
  const found = jobs.map(jobView);
  if (json) await printJson(found);
  else if (found.length === 0) await print('There are no such jobs.\n');
  else await printTable(['id', 'queue', 'state', 'video', 'tries', 'created', 'took', 'error'], found.map(row));
  return 0;
}

export async function retry(signal: AbortSignal, id: string, json = false): Promise<number> {
  await using opened = await openLog('jobs', signal);
  const context = { correlationId: v7(), now: new Date() };
  const retried = await jobsOf(opened).retry(id, context);
  if (json) await printJson({ id: retried.id });
  else await print(`The job ${retried.id} will run as soon as a media worker is free.\n`);
  return 0;
}

function jobsOf({ pool, decodedStore: store }: OpenedLog): JobList {
  return openJobList({ db: createQueryDatabase(pool), store });
}

function row({ id, queue, state, videoId, attempts, createdAt, tookMs, error }: Listed): Cell[] {
  const took = tookMs === null ? undefined : `${(tookMs / 1_000).toFixed(1)} s`;
  return [id, queue, state, videoId ?? undefined, attempts, createdAt, took, error ?? undefined];
}
