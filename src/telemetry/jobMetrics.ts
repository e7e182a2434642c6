import type { Metrics } from './metrics.ts';

/** How an attempt of a job ended. `aborted`: it was cancelled, or its process stopped. */
export type AttemptOutcome = 'done' | 'failed' | 'retried' | 'aborted';

export type ObserveAttempt = (queue: string, outcome: AttemptOutcome, seconds: number) => void;

export function observeAttempts({ histogram }: Pick<Metrics, 'histogram'>): ObserveAttempt {
  const durations = histogram('reelstream_job_duration_seconds');
  return (queue, outcome, seconds) => durations.observe({ queue, outcome }, seconds);
}

/** Called after a job has made something of a clip. @param clipSeconds how long the clip is */
export type ObserveMedia = (queue: string, clipSeconds: number, seconds: number) => void;

export function observeMediaWork({ histogram }: Pick<Metrics, 'histogram'>): ObserveMedia {
  const ratios = histogram('reelstream_media_work_ratio');
  return (queue, clipSeconds, seconds) => {
    if (clipSeconds > 0) ratios.observe({ queue }, seconds / clipSeconds);
  };
}

/** How many jobs of a queue wait, run or have failed. */
export interface QueueDepth {
  readonly queue: string;
  readonly waiting: number;
  readonly running: number;
  readonly failed: number;
  /** For how long the job that waits longest has been due (s). */
  readonly oldestSeconds: number;
}

export interface JobQueuesOptions {
  readonly metrics: Pick<Metrics, 'showAtScrape'>;
  depths(): Promise<readonly QueueDepth[]>;
}

/** Shows at each scrape what is in the queues. */
export function showJobQueues({ metrics, depths }: JobQueuesOptions): void {
  metrics.showAtScrape(['reelstream_jobs', 'reelstream_job_oldest_waiting_seconds'], async (show) => {
    for (const { queue, waiting, running, failed, oldestSeconds } of await depths()) {
      for (const [state, jobs] of Object.entries({ waiting, running, failed }))
        show('reelstream_jobs', { queue, state }, jobs);
      show('reelstream_job_oldest_waiting_seconds', { queue }, oldestSeconds);
    }
  });
}
