import { availableParallelism } from 'node:os';
import { memoryLimit, untrustedInput } from '../ffmpeg/untrustedInput.ts';

/** Milliseconds that a run of FFmpeg may take. */
export const TRANSCODE_TIMEOUT = 10 * 60_000;
export const THREADS = String(Math.min(4, availableParallelism()));

/** Options before the input for every transcode: what it may use, and how its input is opened. */
export function runLimits(timeout: number): string[] {
  return [
    // CPU seconds. This limit stops FFmpeg when our process was killed and cannot.
    ...['-timelimit', String(Math.ceil(timeout / 1000) * Number(THREADS))],
    ...memoryLimit,
    ...untrustedInput,
    ...['-threads', THREADS, '-filter_threads', THREADS],
  ];
}
