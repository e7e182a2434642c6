import type { UploadProgressMessage } from './messages.ts';

/**
 * One step forward of an upload, from the first byte received until the video is ready. `progress` rises from 0 to 100.
 * Its stages are part of the published message, whose channel the original server already had.
 */
export interface UploadProgress extends UploadProgressMessage {
  readonly userId: string;
}

/** Tells all listeners how far an upload is. It never throws and never waits; a step may get lost. */
export type ReportUploadProgress = (progress: UploadProgress) => void;
