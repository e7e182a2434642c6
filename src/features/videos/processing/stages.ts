import type { UploadProgress } from '../../../realtime/uploadProgress.ts';

type Stage = UploadProgress['stage'];

/** Where each stage begins and ends, in percent: about the share of the time that it takes. */
const STAGES: Readonly<Record<Stage, readonly [from: number, to: number]>> = {
  receiving: [0, 30],
  checking: [30, 33],
  storing: [33, 38],
  transcoding: [40, 90],
  thumbnail: [90, 93],
  publishing: [93, 99],
  ready: [100, 100],
};

/** As owners read it. A video waits between its upload and the worker that takes it. */
export const ownStages = ['waiting', ...(Object.keys(STAGES) as [Stage, ...Stage[]])] as const;

/** Whole percent of the whole way, for a share (0 to 1) of one stage. */
export function progressOf(stage: Stage, share = 0): number {
  const [from, to] = STAGES[stage];
  return Math.floor(from + (to - from) * Math.min(1, Math.max(0, share)));
}

/** How far a video is that no worker has taken yet. */
export const WAITING = { stage: 'waiting', progress: progressOf('storing', 1) } as const;
