import { readsBenchmark } from './reads.ts';

/** A single video, with its neighbours and its counts. */
export const video = readsBenchmark({
  name: 'video',
  what: 'single video',
  pathFor: (videoId) => `/api/v1/video/${videoId}`,
});
