import type { Kysely } from 'kysely';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { createFailureLog } from '../../../telemetry/failureLog.ts';
import type { ReportUploadProgress, UploadProgress } from '../../../realtime/uploadProgress.ts';
import type { PendingUploadTables } from './pendingUploads.ts';

/** Milliseconds between two writes for one video. */
const EVERY_MS = 1_000;

export interface KeptProgressOptions {
  readonly db: Kysely<PendingUploadTables>;
  readonly report: ReportUploadProgress;
  readonly logger: Logger;
  /** A monotonic clock (ms). */
  readonly clock?: () => number;
}

/**
 * Reports progress, and keeps it in the row of the pending upload, at most once a second for each video. Its owner who asks later
 * (`GET /video/mine`) gets what was kept. As with the report, a step may get lost.
 */
export function createKeptProgress({
  db,
  report,
  logger,
  clock = () => performance.now(),
}: KeptProgressOptions): ReportUploadProgress {
  const keptAt = new LRUCache<string, number>({ max: 1_000 });
  const failed = createFailureLog(logger);

  const keep = async ({ videoId, stage, progress }: UploadProgress): Promise<void> => {
    await db
      .updateTable('reelstream.pending_uploads')
      .set({ stage, progress })
      .where('video_id', '=', videoId)
      .execute();
  };

  return (step) => {
    report(step);
    const { videoId, stage } = step;
    const now = clock();
    if (stage === 'ready') return void keptAt.delete(videoId);
    if (now - (keptAt.get(videoId) ?? -Infinity) < EVERY_MS) return;
    keptAt.set(videoId, now);
    keep(step).catch((error: unknown) => failed(error, 'could not keep how far an upload is'));
  };
}
