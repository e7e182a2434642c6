import { constants, setPriority } from 'node:os';
import fluentFfmpeg from 'fluent-ffmpeg';
import { startPatience } from './patience.ts';
import { cameFromOutside } from './signals.ts';

export interface FfmpegRun {
  readonly inputOptions: readonly string[];
  readonly input: string;
  readonly outputOptions: readonly string[];
  readonly output: string;
}

export interface FfmpegRunOptions {
  /** Kills FFmpeg at once; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Milliseconds until FFmpeg is killed; those in which this process was stopped do not count. */
  readonly timeout: number;
  /** Seconds of output made so far; may be told out of order. */
  readonly onTime?: (seconds: number) => void;
}

/** FFmpeg ended with an error, or was killed because it took too long. */
export class FfmpegFailed extends Error {
  readonly reason: 'exit' | 'timeout';
  /** The end of what it wrote to stderr. */
  readonly stderr: string;
  /** It did not start, the disk was full, or something (the kernel, short of memory) ended it: the same run may work another time. */
  readonly ourFault: boolean;

  constructor(reason: FfmpegFailed['reason'], stderr: string, options?: { cause?: unknown }) {
    super(reason === 'timeout' ? 'FFmpeg took too long and was stopped' : 'FFmpeg ended with an error', options);
    this.name = 'FfmpegFailed';
    this.reason = reason;
    this.stderr = stderr;
    this.ourFault = reason === 'exit' && !isTheFiles((this.cause as Error | undefined)?.message ?? '', stderr);
  }
}

/** FFmpeg ended by itself, as the library words it, and neither its disk nor a signal that it heeds (Ctrl-C reaches it too) is why. */
function isTheFiles(message: string, stderr: string): boolean {
  if (/No space left on device|Cannot allocate memory|Disk quota exceeded|received signal \d/.test(stderr)) return false;
  const signal = /killed with signal (\w+)/.exec(message)?.[1];
  return signal === undefined ? /exited with code/.test(message) : !cameFromOutside(signal);
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
  const command = newCommand();
  let timedOut = false;
  const kill = (): void => void command.kill('SIGKILL');
  const patience = startPatience(timeout, () => ((timedOut = true), kill()));
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
      if (signal?.aborted || timedOut) kill();
    })
    .on('stderr', (line: string) => {
      // Microseconds under both names, by an old mistake that FFmpeg keeps.
      const microseconds = /^out_time_(?:us|ms)=(\d+)/.exec(line)?.[1];
      if (microseconds !== undefined) onTime?.(Number(microseconds) / 1e6);
    })
    .on('end', () => resolve(undefined))
    .on('error', (cause: Error, _stdout: string | null, stderr: string | null) => {
      if (signal?.aborted) reject(signal.reason as Error);
      else reject(new FfmpegFailed(timedOut ? 'timeout' : 'exit', stderr || cause.message, { cause }));
    })
    .run();
  return promise.finally(() => {
    patience.end();
    signal?.removeEventListener('abort', kill);
  });
}

/** What the library does not publish. It is archived, so none of this changes any more. */
interface Command extends fluentFfmpeg.FfmpegCommand {
  readonly ffmpegProc?: { readonly pid?: number };
  _spawnFfmpeg(args: string[], options: object, onProcess: unknown, onEnd: OnEnd): void;
}
type OnEnd = (error: Error | null, stdout: Ring, stderr: Ring) => void;
interface Ring {
  get(): string;
}

function newCommand(): Command {
  const command = fluentFfmpeg({ stdoutLines: 60 }) as Command;
  // It would ask FFmpeg for its formats and encoders first; the start has (`ffmpegTools.ts`).
  Object.assign(command, {
    _checkCapabilities: (done: () => void) => done(),
    availableEncoders: (done: (error: null, encoders: object) => void) => done(null, {}),
  });
  const spawn = command._spawnFfmpeg.bind(command);
  const nothing: Ring = { get: () => '' };
  // Of a program that could not be started it reads the output all the same, which throws where nobody can catch it.
  command._spawnFfmpeg = (args, options, onProcess, onEnd) => {
    try {
      spawn(args, options, onProcess, (error, stdout = nothing, stderr = nothing) => onEnd(error, stdout, stderr));
    } catch (error) {
      onEnd(error as Error, nothing, nothing);
    }
  };
  return command;
}

/** A transcode yields to the requests that the same machine answers. */
function lowerPriority(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // Gone already, or not allowed to.
  }
}
