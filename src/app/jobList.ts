import type { Kysely } from 'kysely';
import type { EventStore } from '../core/eventStore.ts';
import { jobRetries, queues } from '../features/index.ts';
import { createJobList, type JobList } from '../jobs/jobList.ts';

export interface OpenJobListOptions<Tables> {
  readonly db: Kysely<Tables>;
  /** Its events are decoded. */
  readonly store: EventStore;
}

/** The jobs of all features, for operators. */
export function openJobList<Tables>({ db, store }: OpenJobListOptions<Tables>): JobList {
  return createJobList({ db: db as unknown as Kysely<never>, queues, retries: jobRetries({ store }) });
}
