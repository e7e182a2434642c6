import { readsBenchmark } from './reads.ts';

/** The first page of the feed. */
export const feed = readsBenchmark('feed', [
  { what: 'feed', pathFor: () => '/api/v1/video?page=1&limit=10', atLeast: 1.1 },
]);
