import { chmod, lchown, open } from 'node:fs/promises';
import { dirname, sep } from 'node:path';
import type { Account } from '../../postgres/account.ts';
import { toolEnvironment } from './toolEnvironment.ts';

/** What a program is started with in place of its own command line. */
export interface Command {
  readonly file: string;
  readonly args: string[];
  readonly options: { readonly env: Record<string, string>; readonly cwd?: string };
}

/** Files that a program may use: it reads one, and writes the other if there is one. */
export interface LentFiles {
  readonly reads: string;
  readonly writes?: string;
}

/** How FFmpeg and ffprobe are started: with little memory, low priority and few rights. */
export interface Sandbox {
  /** `memory`: bytes of address space, where the system can limit it. */
  command(program: string, args: readonly string[], memory: number): Command;
  /** Lets programs use files below the sandbox's folder. Call it before each run. */
  lend(files: LentFiles): Promise<void>;
  /** Ends a program's right to write to a file. The object store may keep this very file. */
  takeBack(path: string): Promise<void>;
}

export interface SandboxOptions {
  /** Programs that take rights away, each with its options; each executes the next one. */
  readonly steps?: readonly string[];
  /** The user that `steps` change to. The files are lent to that user. */
  readonly account?: Account;
  /** Opens the program before `steps` are taken: their user may not enter its folder. */
  readonly byDescriptor?: boolean;
  /** The folder that all files are below. */
  readonly folder?: string;
}

/**
 * The user that root starts FFmpeg as. It owns nothing but the files that FFmpeg writes, and is not the one that
 * PostgreSQL runs as. From the same range (`postgres/account.ts`).
 */
export const FFMPEG_ACCOUNT: Account = { uid: 61_019, gid: 61_019 };

/** Niceness: below everything that answers requests. */
const PRIORITY = '10';
/** A system that cannot limit memory (macOS) starts the program all the same. Kilobytes, as POSIX shells count. */
const LIMITED = `ulimit -v "$0" 2>/dev/null; exec nice -n ${PRIORITY} "$@"`;
const LIMITED_BY_DESCRIPTOR = `exec 3<"$1" && shift && { ${LIMITED}; }`;

/**
 * A shell sets the limit, and then each program executes the next one, so that the process that was started becomes FFmpeg:
 * its signals, its exit code and its output are its own, and SIGKILL reaches it. No text of a user reaches the shell's
 * script: file names are ours, and are arguments.
 */
export function createSandbox({ steps = [], account, byDescriptor = false, folder }: SandboxOptions = {}): Sandbox {
  // A user who may not enter our folders can open what is below the working folder, by a relative name.
  const relative = (argument: string): string =>
    folder !== undefined && argument.startsWith(`${folder}${sep}`) ? argument.slice(folder.length + 1) : argument;

  return {
    command: (program, args, memory) => {
      const env = toolEnvironment();
      if (process.platform === 'win32') return { file: program, args: [...args], options: { env } };
      const kilobytes = String(Math.floor(memory / 1024));
      if (account === undefined)
        return { file: '/bin/sh', args: ['-c', LIMITED, kilobytes, ...steps, program, ...args], options: { env } };
      const start = byDescriptor
        ? [LIMITED_BY_DESCRIPTOR, kilobytes, program, ...steps, '/proc/self/fd/3']
        : [LIMITED, kilobytes, ...steps, program];
      return { file: '/bin/sh', args: ['-c', ...start, ...args.map(relative)], options: { env, cwd: folder } };
    },
    lend: async ({ reads, writes }) => {
      if (account === undefined || folder === undefined) return;
      // The folders stay ours: FFmpeg's user may pass through them, and cannot put a link in the place of a file that we read next.
      for (let each = dirname(reads); each.startsWith(folder); each = dirname(each)) await chmod(each, 0o711);
      await lchown(reads, process.geteuid!(), account.gid);
      await chmod(reads, 0o640);
      if (writes === undefined) return;
      await (await open(writes, 'w', 0o660)).close();
      await lchown(writes, account.uid, process.getegid!());
    },
    takeBack: async (path) => {
      if (account === undefined || folder === undefined) return;
      await lchown(path, process.geteuid!(), process.getegid!());
      await chmod(path, 0o640);
    },
  };
}

/** Limits and environment only: what needs nothing from the system. */
export const plainSandbox = createSandbox();

/** Whether a command ended before the program in it was executed. That says nothing about the program's input. */
export function wasNotStarted(exitCode: unknown, stderr: string): boolean {
  return exitCode === 126 || exitCode === 127 || /^(?:\/bin\/sh|sh|nice|unshare|setpriv): /m.test(stderr);
}
