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
