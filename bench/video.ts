import { readsBenchmark } from './reads.ts';

const pathFor = (videoId: string): string => `/api/v1/video/${videoId}`;

/** A single video, with its neighbours and its counts; signed in, also whether the user likes it. Views are counted. */
export const video = readsBenchmark('video', [
  { what: 'one video, anonymous', pathFor, atLeast: 0.8 },
  { what: 'one video, signed in', pathFor, signedIn: true, atLeast: 0.55 },
]);
