/** One step forward of an upload: from the first byte received to the video being ready. */
export interface UploadProgress {
  readonly userId: string;
  readonly videoId: string;
  readonly stage: 'receiving' | 'checking' | 'storing' | 'transcoding' | 'thumbnail' | 'publishing' | 'ready';
  /** 0 to 100, rising. */
  readonly progress: number;
}

/** Tells whoever listens how far an upload is. Never throws, never waits: progress is a courtesy. */
export type ReportUploadProgress = (progress: UploadProgress) => void;

/** Where each stage begins and ends, in percent: about the share of the time that it takes. */
const STAGES: Readonly<Record<UploadProgress['stage'], readonly [from: number, to: number]>> = {
  receiving: [0, 30],
  checking: [30, 33],
  storing: [33, 38],
  transcoding: [40, 90],
  thumbnail: [90, 93],
  publishing: [93, 99],
  ready: [100, 100],
};

/** Whole percent of all the way, for a share (0 to 1) of one stage. */
export function progressOf(stage: UploadProgress['stage'], share = 0): number {
  const [from, to] = STAGES[stage];
  return Math.floor(from + (to - from) * Math.min(1, Math.max(0, share)));
}
