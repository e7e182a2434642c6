import { LRUCache } from 'lru-cache';
import type { ReportUploadProgress } from './uploadProgress.ts';

/** How many uploads have their last step remembered. */
const MOST_UPLOADS = 10_000;

/**
 * Delivers only steps with more progress than all earlier steps of the same video. Steps come from several processes,
 * and a transcode starts again when another worker takes it over.
 */
export function onlyRising(deliver: ReportUploadProgress): ReportUploadProgress {
  const furthest = new LRUCache<string, number>({ max: MOST_UPLOADS });
  return (step) => {
    if (step.progress <= (furthest.get(step.videoId) ?? -1)) return;
    furthest.set(step.videoId, step.progress);
    deliver(step);
  };
}
