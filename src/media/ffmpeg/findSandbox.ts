import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { FfmpegTools } from './ffmpegTools.ts';
import { createSandbox, FFMPEG_ACCOUNT, type Sandbox } from './sandbox.ts';
import type { Scratch } from '../scratch/scratch.ts';

export interface FoundSandbox {
  readonly sandbox: Sandbox;
  readonly withoutNetwork: boolean;
  /** The user's number; undefined: the server's own user. */
  readonly user: number | undefined;
  readonly memoryLimit: boolean;
  /** One sentence for the logger. */
  readonly description: string;
  /** Something that this sandbox should have is not available on this machine. */
  readonly weak: boolean;
}

interface Way {
  readonly steps: readonly string[];
  readonly withoutNetwork: boolean;
  readonly otherUser: boolean;
}

const { uid, gid } = FFMPEG_ACCOUNT;
const AS_OTHER_USER = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--no-new-privs'];
const NO_NETWORK = ['unshare', '--net'];
/** For a user without privileges, where the system allows it. It also prevents FFmpeg from reading the memory of our processes. */
const NO_NETWORK_UNPRIVILEGED = ['unshare', '--user', '--net'];

/** From the strongest to the weakest. Root may use all of them. The last step executes FFmpeg; nothing forks (docs/adr/0032). */
const WAYS: readonly Way[] = [
  { steps: [...NO_NETWORK, ...AS_OTHER_USER], withoutNetwork: true, otherUser: true },
  { steps: [...AS_OTHER_USER, ...NO_NETWORK_UNPRIVILEGED], withoutNetwork: true, otherUser: true },
  { steps: AS_OTHER_USER, withoutNetwork: false, otherUser: true },
  { steps: NO_NETWORK_UNPRIVILEGED, withoutNetwork: true, otherUser: false },
];

const run = promisify(execFile);
/** Bytes of memory that a trial may use. */
const TRIAL_MEMORY = 1024 ** 3;

/**
 * Finds the strongest sandbox that works on this machine, by running FFmpeg on a file in it. The installed programs alone do
 * not tell what the kernel, the container or a security module permits.
 *
 * @param root the folder in which `scratch` makes its folders
 */
export async function findSandbox(
  { ffmpeg, ffprobe }: FfmpegTools,
  scratch: Pick<Scratch, 'make'>,
  root: string,
): Promise<FoundSandbox> {
  const isRoot = process.geteuid?.() === 0;
  const memoryLimit = await run('/bin/sh', ['-c', `ulimit -v ${TRIAL_MEMORY / 1024}`]).then(
    () => true,
    () => false,
  );
  for (const { steps, withoutNetwork, otherUser } of WAYS) {
    if (otherUser && !isRoot) continue;
    for (const byDescriptor of otherUser ? [false, true] : [false]) {
      const sandbox = createSandbox({
        steps,
        folder: root,
        byDescriptor,
        ...(otherUser && { account: FFMPEG_ACCOUNT }),
      });
      if (!(await works(sandbox, ffmpeg.path, ffprobe.path, scratch))) continue;
      return describe({ sandbox, withoutNetwork, user: otherUser ? uid : undefined, memoryLimit }, isRoot);
    }
  }
  return describe({ sandbox: createSandbox(), withoutNetwork: false, user: undefined, memoryLimit }, isRoot);
}

/** Whether FFmpeg can copy a file in the sandbox, this process can read the copy, and ffprobe starts. */
async function works(
  sandbox: Sandbox,
  ffmpeg: string,
  ffprobe: string,
  scratch: Pick<Scratch, 'make'>,
): Promise<boolean> {
  await using folder = await scratch.make();
  const [reads, writes] = [join(folder.path, 'in'), join(folder.path, 'out')];
  const sound = Buffer.alloc(2_000, 1);
  const asSound = ['-f', 's16le', '-ar', '8000', '-ac', '1'];
  const start = async (program: string, args: readonly string[]): Promise<void> => {
    const { file, args: all, options } = sandbox.command(program, args, TRIAL_MEMORY);
    await run(file, all, { ...options, timeout: 20_000, killSignal: 'SIGKILL' });
  };
  try {
    await writeFile(reads, sound);
    await sandbox.lend({ reads, writes: [writes] });
    await start(ffmpeg, ['-v', 'error', '-nostdin', '-y', ...asSound, '-i', reads, ...asSound, writes]);
    await start(ffprobe, ['-version']);
    await sandbox.takeBack(writes);
    return sound.equals(await readFile(writes));
  } catch {
    return false;
  }
}

function describe(found: Omit<FoundSandbox, 'description' | 'weak'>, isRoot: boolean): FoundSandbox {
  const { withoutNetwork, user, memoryLimit } = found;
  const has = [
    withoutNetwork ? 'without network' : 'WITH network (this machine does not let us run `unshare --net`)',
    user !== undefined
      ? `as user ${user}`
      : isRoot
        ? 'as ROOT (this machine does not let us run `setpriv`)'
        : 'as the user of the server, whose files it can read',
    memoryLimit ? 'with limited memory' : 'with UNLIMITED memory (this system does not have `ulimit -v`)',
  ];
  return {
    ...found,
    description: `FFmpeg runs ${has.join(', ')}.`,
    weak: !withoutNetwork || (isRoot && user === undefined) || !memoryLimit,
  };
}
