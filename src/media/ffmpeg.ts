import { constants, setPriority } from 'node:os';
import fluentFfmpeg from 'fluent-ffmpeg';

export interface FfmpegRun {
  readonly inputOptions: readonly string[];
  readonly input: string;
  readonly outputOptions: readonly string[];
  readonly output: string;
}

export interface FfmpegRunOptions {
  /** Kills FFmpeg at once; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Milliseconds until FFmpeg is killed. */
  readonly timeout: number;
  /** Seconds of output made so far; may be told out of order. */
  readonly onTime?: (seconds: number) => void;
}

/** FFmpeg ended with an error, or was killed because it took too long. */
export class FfmpegFailed extends Error {
  readonly reason: 'exit' | 'timeout';
  /** The end of what it wrote to stderr. */
  readonly stderr: string;
  /** The disk was full, or something (the kernel, short of memory) killed it: the same run may work another time. */
  readonly ourFault: boolean;

  constructor(reason: FfmpegFailed['reason'], stderr: string, options?: { cause?: unknown }) {
    super(reason === 'timeout' ? 'FFmpeg took too long and was stopped' : 'FFmpeg ended with an error', options);
    this.name = 'FfmpegFailed';
    this.reason = reason;
    this.stderr = stderr;
    this.ourFault = reason === 'exit' && (/No space left on device|Cannot allocate memory|Disk quota exceeded/.test(stderr) || /SIG(KILL|TERM)/.test((this.cause as Error | undefined)?.message ?? ''));
  }
}

/**
 * Runs FFmpeg once, as a process of low priority, without a shell. The only file that knows fluent-ffmpeg (docs/adr/0030).
 *
 * Its `progress` event is not used: with a listener on it, the library runs an ffprobe of its own over the input, without
 * our options, and that is the very thing that a playlist renamed `.mp4` is waiting for.
 * @throws FfmpegFailed
 */
export function runFfmpeg(ffmpeg: string, run: FfmpegRun, { signal, timeout, onTime }: FfmpegRunOptions): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const command = fluentFfmpeg({ stdoutLines: 60 }) as fluentFfmpeg.FfmpegCommand & { ffmpegProc?: { readonly pid?: number } };
  let timedOut = false;
  const kill = (): void => void command.kill('SIGKILL');
  const timer = setTimeout(() => ((timedOut = true), kill()), timeout);
  signal?.addEventListener('abort', kill, { once: true });

  command
    .setFfmpegPath(ffmpeg)
    .input(run.input)
    // Several arguments, not an array: the library splits an array's elements at spaces.
    .inputOptions('-hide_banner', '-nostdin', '-nostats', '-progress', 'pipe:2', ...run.inputOptions)
    .outputOptions(...(run.outputOptions as [string, string]))
    .output(run.output)
    .on('start', () => {
      lowerPriority(command.ffmpegProc?.pid);
      if (signal?.aborted) kill();
    })
    .on('stderr', (line: string) => {
      // Microseconds under both names, by an old mistake that FFmpeg keeps.
      const microseconds = /^out_time_(?:us|ms)=(\d+)/.exec(line)?.[1];
      if (microseconds !== undefined) onTime?.(Number(microseconds) / 1e6);
    })
    .on('end', () => resolve(undefined))
    .on('error', (cause: Error, _stdout: string | null, stderr: string | null) => {
      if (signal?.aborted) reject(signal.reason as Error);
      else reject(new FfmpegFailed(timedOut ? 'timeout' : 'exit', stderr ?? cause.message, { cause }));
    })
    .run();
  return promise.finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', kill);
  });
}

/** A transcode yields to the requests that the same machine answers. */
function lowerPriority(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // Gone already, or not allowed to.
  }
}
