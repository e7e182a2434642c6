import { chmod, lchown, open } from 'node:fs/promises';
import { dirname, sep } from 'node:path';
import type { Account } from '../../postgres/account.ts';
import { toolEnvironment } from './toolEnvironment.ts';

/** The command line that starts a program in the sandbox. */
export interface Command {
  readonly file: string;
  readonly args: string[];
  readonly options: { readonly env: Record<string, string>; readonly cwd?: string };
}

/** The files that a program may use: it reads one, and may write others. */
export interface LentFiles {
  readonly reads: string;
  readonly writes?: readonly string[];
}

/** Starts FFmpeg and ffprobe with limited memory, low priority and few rights. */
export interface Sandbox {
  /**
   * @param memory bytes of address space, on systems that can limit it
   * @param niceness by default that of a program that somebody waits for
   */
  command(program: string, args: readonly string[], memory: number, niceness?: number): Command;
  /** Lets a program use files below the sandbox's folder. Call it before each run. */
  lend(files: LentFiles): Promise<void>;
  /** Ends a program's right to write to a file, which the object store may keep as it is. */
  takeBack(path: string): Promise<void>;
}

export interface SandboxOptions {
  /** Programs that drop rights, each with its options. Each executes the next one. */
  readonly steps?: readonly string[];
  /** The user that `steps` change to. The files are lent to that user. */
  readonly account?: Account;
  /** Opens the program before the `steps`, for a user who may not enter the program's folder. */
  readonly byDescriptor?: boolean;
  /** The folder that all files are below. */
  readonly folder?: string;
}

/**
 * Root starts FFmpeg as this user, who owns only the files that FFmpeg writes. PostgreSQL runs as another user of the same
 * range (`postgres/account.ts`).
 */
export const FFMPEG_ACCOUNT: Account = { uid: 61_019, gid: 61_019 };

/** Niceness: everything that answers requests comes first. */
const WAITED_FOR = 10;
/** Niceness of work that nobody waits for: what somebody waits for gets nearly all of the processor. */
export const IN_BACKGROUND = 19;
/** `$0` is in kilobytes, as POSIX shells count. A system that cannot limit memory (macOS) still starts the program. */
const limited = (niceness: number): string => `ulimit -v "$0" 2>/dev/null; exec nice -n ${niceness} "$@"`;
const limitedByDescriptor = (niceness: number): string => `exec 3<"$1" && shift && { ${limited(niceness)}; }`;

/**
 * A shell sets the limit. Then each program executes the next one, so the started process becomes FFmpeg: signals reach
 * FFmpeg itself, and the exit code and the output are FFmpeg's. The shell's script contains no text of a user: file names
 * are ours, and are passed as arguments.
 */
export function createSandbox({ steps = [], account, byDescriptor = false, folder }: SandboxOptions = {}): Sandbox {
  // A user who may not enter our folders can still open files below the working folder by relative names.
  const relative = (argument: string): string =>
    folder !== undefined && argument.startsWith(`${folder}${sep}`) ? argument.slice(folder.length + 1) : argument;

  return {
    command: (program, args, memory, niceness = WAITED_FOR) => {
      const env = toolEnvironment();
      if (process.platform === 'win32') return { file: program, args: [...args], options: { env } };
      const kilobytes = String(Math.floor(memory / 1024));
      if (account === undefined)
        return {
          file: '/bin/sh',
          args: ['-c', limited(niceness), kilobytes, ...steps, program, ...args],
          options: { env },
        };
      const start = byDescriptor
        ? [limitedByDescriptor(niceness), kilobytes, program, ...steps, '/proc/self/fd/3']
        : [limited(niceness), kilobytes, ...steps, program];
      return { file: '/bin/sh', args: ['-c', ...start, ...args.map(relative)], options: { env, cwd: folder } };
    },
    lend: async ({ reads, writes = [] }) => {
      if (account === undefined || folder === undefined) return;
      // The folders stay ours. FFmpeg's user may pass through them, but cannot replace a file that we read next with a link.
      for (let each = dirname(reads); each.startsWith(folder); each = dirname(each)) await chmod(each, 0o711);
      await lchown(reads, process.geteuid!(), account.gid);
      await chmod(reads, 0o640);
      for (const path of writes) {
        await (await open(path, 'w', 0o660)).close();
        await lchown(path, account.uid, process.getegid!());
      }
    },
    takeBack: async (path) => {
      if (account === undefined || folder === undefined) return;
      await lchown(path, process.geteuid!(), process.getegid!());
      await chmod(path, 0o640);
    },
  };
}

/** Limits resources and empties the environment. It works on every system. */
export const plainSandbox = createSandbox();

/** Whether a command ended before the program in it was executed, so that the program's input is not the reason. */
export function wasNotStarted(exitCode: unknown, stderr: string): boolean {
  return exitCode === 126 || exitCode === 127 || /^(?:\/bin\/sh|sh|nice|unshare|setpriv): /m.test(stderr);
}
