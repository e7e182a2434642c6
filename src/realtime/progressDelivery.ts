import { LRUCache } from 'lru-cache';
import type { ReportUploadProgress } from './uploadProgress.ts';

/** Uploads whose last step is remembered. */
const MOST_UPLOADS = 10_000;

/**
 * Lets through what is further than everything before it of the same video: steps come from several processes, and a
 * transcode that was handed over begins again.
 */
export function onlyRising(deliver: ReportUploadProgress): ReportUploadProgress {
  const furthest = new LRUCache<string, number>({ max: MOST_UPLOADS });
  return (step) => {
    if (step.progress <= (furthest.get(step.videoId) ?? -1)) return;
    furthest.set(step.videoId, step.progress);
    deliver(step);
  };
}
