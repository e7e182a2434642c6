import { execFile, type ExecFileException } from 'node:child_process';
import { noTracing, type Tracing } from '../../telemetry/tracing.ts';
import { memoryLimit, untrustedInput } from '../ffmpeg/untrustedInput.ts';
import { startActiveTimeout } from '../ffmpeg/activeTimeout.ts';
import { plainSandbox, wasNotStarted, type Sandbox } from '../ffmpeg/sandbox.ts';
import { cameFromOutside } from '../ffmpeg/signals.ts';
import { readStreams } from './probeOutput.ts';

/** What ffprobe finds in one stream of an upload. */
export interface ProbedStream {
  readonly index: number;
  readonly kind: 'video' | 'audio' | 'other';
  readonly codec: string;
  /** The four characters by which the container names the codec. */
  readonly tag: string;
  /** Pixels as coded, before rotation and pixel shape. */
  readonly width: number;
  readonly height: number;
  /** Width of a pixel over its height. */
  readonly pixelShape: number;
  /** Degrees, a multiple of 90 as a rule. */
  readonly rotation: number;
  /** A cover picture, not a video. */
  readonly still: boolean;
  /** Packets that are shown (an edit list may leave some out). `start` and `end` are the seconds of the first and the last one. */
  readonly packets: number;
  /** All packets. Those that an edit list leaves out must be decoded as well. */
  readonly decoded: number;
  readonly start: number;
  readonly end: number;
  /** Packets of which a part is missing. */
  readonly damaged: number;
}

/** ffprobe could not read the file. */
export class Unreadable extends Error {
  /** ffprobe needed too much time, memory or output. */
  readonly tooMuch: boolean;

  constructor(message: string, { tooMuch = false, cause }: { tooMuch?: boolean; cause?: unknown } = {}) {
    super(message, { cause });
    this.name = 'Unreadable';
    this.tooMuch = tooMuch;
  }
}

/** ffprobe did not start, or something outside killed it. The file is not the reason, and a retry may succeed. */
export class ProbeFailed extends Error {
  /** Something outside ended it. With this file it may happen again. */
  readonly killed: boolean;

  constructor(cause: Error) {
    super(`ffprobe could not be run: ${cause.message}`, { cause });
    this.name = 'ProbeFailed';
    this.killed = typeof (cause as ExecFileException).signal === 'string';
  }
}

/**
 * Bytes of output. A minute at 240 frames a second with fifteen tracks of sound has 60 000 packets of about 110 bytes of
 * text each.
 */
const MOST_OUTPUT = 8 * 1024 * 1024;
const LONGEST_MS = 30_000;
/**
 * Bytes of address space. An upload with one track at 8K takes 340 MB in Debian's FFmpeg 5.1 (most of it libraries) and
 * 170 MB in the FFmpeg from npm. Four tracks, the most that are allowed, take 580 MB.
 */
const MOST_MEMORY = 1024 ** 3;

/** The headers and the packets in one run, so that one process reads the file once. */
const SHOWN = [
  '-show_streams',
  '-show_entries',
  'packet=stream_index,pts_time,duration_time,flags',
  '-of',
  'json=compact=1',
  '-i',
];

export interface ProbeOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds; 30 000 by default. */
  readonly timeout?: number | undefined;
  readonly sandbox?: Sandbox | undefined;
  readonly tracing?: Tracing | undefined;
}

/**
 * Reads the headers and the whole packet index of an upload. Times come from the packets: headers may be wrong in hostile
 * files, and are missing in fragmented ones. @throws Unreadable, ProbeFailed
 */
export async function probe(ffprobe: string, path: string, options: ProbeOptions = {}): Promise<ProbedStream[]> {
  await (options.sandbox ?? plainSandbox).lend({ reads: path }).catch((cause: Error) => {
    throw new ProbeFailed(cause);
  });
  const { tracing = noTracing } = options;
  const args = ['-v', 'error', ...memoryLimit, ...untrustedInput, ...SHOWN, path];
  const attributes = { 'process.executable.name': 'ffprobe' };
  return readStreams(
    await tracing.span('ffprobe', { kind: 'internal', attributes }, () => run(ffprobe, args, options)),
  );
}

function run(
  ffprobe: string,
  args: readonly string[],
  { signal, timeout = LONGEST_MS, sandbox = plainSandbox }: ProbeOptions,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let tookTooLong = false;
  try {
    const command = sandbox.command(ffprobe, args, MOST_MEMORY);
    const settings = {
      ...command.options,
      signal,
      killSignal: 'SIGKILL',
      maxBuffer: MOST_OUTPUT,
      encoding: 'utf8',
    } as const;
    const child = execFile(command.file, command.args, settings, (error, stdout, stderr) => {
      limit.end();
      // When a decoder gets no memory, ffprobe does not fail: its output is incomplete.
      if (error === null && !OUT_OF_MEMORY.test(stderr)) resolve(stdout);
      else if (error === null) reject(new Unreadable(stderr.trim(), { tooMuch: true }));
      else if (signal?.aborted) reject(signal.reason as Error);
      else if (tookTooLong || isTooMuch(error, stderr))
        reject(new Unreadable(stderr.trim() || error.message, { tooMuch: true, cause: error }));
      else if (isOurFault(error, stderr)) reject(new ProbeFailed(error));
      else reject(new Unreadable(stderr.trim() || error.message, { cause: error }));
    });
    const limit = startActiveTimeout(timeout, () => {
      tookTooLong = true;
      child.kill('SIGKILL');
    });
  } catch (error) {
    // Some errors of starting a program (no memory) are thrown at once.
    reject(new ProbeFailed(error as Error));
  }
  return promise;
}

/** Linux overcommits memory, so this means that our limit was reached, not that the machine is out of memory. */
const OUT_OF_MEMORY = /(?:Cannot|Could not) allocate memory/;

function isTooMuch({ code }: ExecFileException, stderr: string): boolean {
  return code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER' || (OUT_OF_MEMORY.test(stderr) && !wasNotStarted(code, stderr));
}

/** Whether ffprobe did not start (a code of the system: no such program, no processes or files left), or something outside ended it. */
function isOurFault({ code, signal }: ExecFileException, stderr: string): boolean {
  return (
    typeof code === 'string' || (typeof signal === 'string' && cameFromOutside(signal)) || wasNotStarted(code, stderr)
  );
}
