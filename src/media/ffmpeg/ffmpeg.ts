import fluentFfmpeg from 'fluent-ffmpeg';
import { noTracing, type Tracing } from '../../telemetry/tracing.ts';
import { startActiveTimeout } from './activeTimeout.ts';
import {
  IN_BACKGROUND,
  plainSandbox,
  wasNotStarted,
  type Command as SandboxedCommand,
  type Sandbox,
} from './sandbox.ts';
import { cameFromOutside } from './signals.ts';

export interface FfmpegRun {
  readonly inputOptions: readonly string[];
  readonly input: string;
  readonly outputs: readonly FfmpegOutput[];
  /**
   * How many packets of each stream may fail to decode, by the index of the stream; any number by default. FFmpeg's own
   * option for this (`-max_error_rate`) has no effect in 6.1 to 7.1.
   */
  readonly mostErrors?: ReadonlyMap<number, number>;
}

/** A file that a run makes. */
export interface FfmpegOutput {
  readonly options: readonly string[];
  readonly path: string;
}

export interface FfmpegRunOptions {
  /** Kills FFmpeg at once; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Milliseconds until FFmpeg is killed. Time in which this process was stopped does not count. */
  readonly timeout: number;
  /** Is told the seconds of output made so far, possibly out of order. */
  readonly onTime?: (seconds: number) => void;
  readonly sandbox?: Sandbox;
  /** Nobody waits for the result: other runs come first. */
  readonly background?: boolean;
  readonly tracing?: Tracing | undefined;
}

/**
 * Bytes of address space. With four threads, an 8K video takes 2 GB of it (HEVC, 10 bit) to 4 GB (H.264 4:4:4, 10 bit, 16
 * reference frames: the worst within our limits) in FFmpeg 5.1 to 9.0, and 4K at 60 frames a second 1 GB.
 */
const MOST_MEMORY = 4.5 * 1024 ** 3;

/** FFmpeg ended with an error, needed more memory than its limit, could not decode the file, or was killed because it took too long. */
export class FfmpegFailed extends Error {
  readonly reason: 'exit' | 'memory' | 'timeout' | 'damaged';
  /** The end of what it wrote to stderr. */
  readonly stderr: string;
  /** FFmpeg did not start, the disk was full, or something outside (the kernel, short of memory) ended it. A retry may succeed. */
  readonly ourFault: boolean;
  /** Something outside ended it. With this file it may happen again. */
  readonly killed: boolean;

  constructor(reason: FfmpegFailed['reason'], stderr: string, options?: { cause?: unknown }) {
    super(MESSAGES[reason], options);
    this.name = 'FfmpegFailed';
    this.reason = reason;
    this.stderr = stderr;
    const message = (this.cause as Error | undefined)?.message ?? '';
    this.ourFault = reason === 'exit' && !isFileAtFault(message, stderr);
    this.killed = this.ourFault && /killed with signal/.test(message);
  }
}

const MESSAGES = {
  exit: 'FFmpeg ended with an error',
  memory: 'FFmpeg needed more memory than its limit',
  timeout: 'FFmpeg took too long and was stopped',
  damaged: 'FFmpeg could not decode enough of the file',
};

/** Messages of FFmpeg and x264. Linux overcommits memory, so they mean that our limit was reached, not that the machine is out of memory. */
const OUT_OF_MEMORY = /(?:Cannot|Could not) allocate memory|malloc of size \d+ failed/;

/** Otherwise FFmpeg writes a message once, and then how often it was repeated. */
const EACH_MESSAGE = ['-loglevel', 'repeat+info'];

/** What FFmpeg writes for each packet that it cannot decode: up to version 6.0, and since 6.1. The number is that of the stream. */
const NOT_DECODED =
  /Error while decoding stream #0:(\d+)|\[[va]ist#0:(\d+)\/.*(?:Error submitting packet to decoder|Error processing packet in decoder|Decoding error)/;

/** Whether the file made FFmpeg fail: not the disk, a signal from outside (Ctrl-C reaches FFmpeg as well), or a failed start. */
function isFileAtFault(message: string, stderr: string): boolean {
  if (/No space left on device|Disk quota exceeded|Resource temporarily unavailable|received signal \d/.test(stderr))
    return false;
  const signal = /killed with signal (\w+)/.exec(message)?.[1];
  if (signal !== undefined) return !cameFromOutside(signal);
  const code = /exited with code (\d+)/.exec(message)?.[1];
  return code !== undefined && !wasNotStarted(Number(code), stderr);
}

/**
 * Runs FFmpeg once, in the sandbox. The only file that knows fluent-ffmpeg (docs/adr/0030).
 *
 * Its `progress` event is not used: with a listener on it, the library runs an ffprobe of its own on the input, without our
 * options and outside the sandbox, which a playlist renamed `.mp4` could exploit.
 * @throws FfmpegFailed
 */
export async function runFfmpeg(ffmpeg: string, run: FfmpegRun, options: FfmpegRunOptions): Promise<void> {
  const { tracing = noTracing } = options;
  await tracing.span('ffmpeg', { kind: 'internal', attributes: { 'process.executable.name': 'ffmpeg' } }, () =>
    runOnce(ffmpeg, run, options),
  );
}

async function runOnce(
  ffmpeg: string,
  run: FfmpegRun,
  { signal, timeout, onTime, sandbox = plainSandbox, background = false }: FfmpegRunOptions,
): Promise<void> {
  const outputs = run.outputs.map(({ path }) => path);
  await sandbox.lend({ reads: run.input, writes: outputs });
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const niceness = background ? IN_BACKGROUND : undefined;
  const command = newCommand((args) => sandbox.command(ffmpeg, args, MOST_MEMORY, niceness));
  let timedOut = false;
  let outOfMemory = false;
  const errors = new Map<number, number>();
  const kill = (): void => void command.kill('SIGKILL');
  const isDamaged = (): boolean =>
    [...errors].some(([stream, count]) => count > (run.mostErrors?.get(stream) ?? Infinity));
  const limit = startActiveTimeout(timeout, () => ((timedOut = true), kill()));
  signal?.addEventListener('abort', kill, { once: true });

  command
    .input(run.input)
    // Several arguments, not an array: the library splits an array's elements at spaces.
    .inputOptions(
      ...['-hide_banner', '-nostdin', '-nostats', '-progress', 'pipe:2', ...EACH_MESSAGE, ...run.inputOptions],
    );
  for (const { path, options } of run.outputs) command.output(path).outputOptions(...(options as [string, string]));
  command
    .on('start', () => {
      if (signal?.aborted || timedOut) kill();
    })
    .on('stderr', (line: string) => {
      // Both names give microseconds: FFmpeg keeps an old mistake.
      const microseconds = /^out_time_(?:us|ms)=(\d+)/.exec(line)?.[1];
      if (microseconds !== undefined) onTime?.(Number(microseconds) / 1e6);
      if (OUT_OF_MEMORY.test(line)) outOfMemory = true;
      const notDecoded = NOT_DECODED.exec(line);
      if (notDecoded === null) return;
      const stream = Number(notDecoded[1] ?? notDecoded[2]);
      errors.set(stream, (errors.get(stream) ?? 0) + 1);
    })
    .on('end', (_stdout: string | null, stderr: string | null) => {
      if (isDamaged()) reject(new FfmpegFailed(outOfMemory ? 'memory' : 'damaged', stderr ?? ''));
      else resolve(undefined);
    })
    .on('error', (cause: Error, _stdout: string | null, stderr: string | null) => {
      const reason = timedOut ? 'timeout' : outOfMemory ? 'memory' : isDamaged() ? 'damaged' : 'exit';
      if (signal?.aborted) reject(signal.reason as Error);
      else reject(new FfmpegFailed(reason, stderr || cause.message, { cause }));
    })
    .run();
  try {
    await promise;
  } finally {
    limit.end();
    signal?.removeEventListener('abort', kill);
  }
  for (const path of outputs) await sandbox.takeBack(path);
}

/** Private parts of the library. It is archived, so they do not change any more. */
interface Command extends fluentFfmpeg.FfmpegCommand {
  _spawnFfmpeg(args: string[], options: object, onProcess: unknown, onEnd: OnEnd): void;
}
type OnEnd = (error: Error | null, stdout: Ring, stderr: Ring) => void;
interface Ring {
  get(): string;
}

function newCommand(inSandbox: (args: readonly string[]) => SandboxedCommand): Command {
  const command = fluentFfmpeg({ stdoutLines: 60 }) as Command;
  // The library would ask FFmpeg for its formats and encoders first. `ffmpegTools.ts` has checked them at the start.
  Object.assign(command, {
    _checkCapabilities: (done: () => void) => done(),
    availableEncoders: (done: (error: null, encoders: object) => void) => done(null, {}),
  });
  const spawn = command._spawnFfmpeg.bind(command);
  const nothing: Ring = { get: () => '' };
  // If the program could not be started, the library still reads its output, and throws where no caller can catch it.
  command._spawnFfmpeg = (args, options, onProcess, onEnd) => {
    try {
      const sandboxed = inSandbox(args);
      command.setFfmpegPath(sandboxed.file);
      spawn(
        sandboxed.args,
        { ...options, ...sandboxed.options },
        onProcess,
        (error, stdout = nothing, stderr = nothing) => onEnd(error, stdout, stderr),
      );
    } catch (error) {
      onEnd(error as Error, nothing, nothing);
    }
  };
  return command;
}
