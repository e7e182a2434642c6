import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { isAlive } from '../../core/isAlive.ts';

/** A temporary folder. Disposing it removes it with everything in it. */
export interface ScratchFolder extends AsyncDisposable {
  readonly path: string;
}

/** Makes temporary folders for uploads and jobs, and removes those of processes that were killed. */
export interface Scratch {
  make(): Promise<ScratchFolder>;
  /** Removes the folders of processes that have ended, and kills an FFmpeg that still runs in one of them. */
  sweep(): Promise<void>;
  close(): Promise<void>;
}

/** How often a process touches its folder, to show that it still runs. */
const SIGN_OF_LIFE_MS = 10_000;
/** A folder that was not touched for so long is abandoned, also when its process was on another machine or in a container. */
const ABANDONED_MS = 60_000;
/** The same when a process with the owner's id runs here. It may be stopped and continue later; or the id was reused. */
const ABANDONED_BY_RUNNING_MS = 60 * 60_000;

/** Each process has a folder of its own under `root`, whose name tells the owner after a crash. */
export async function createScratch(root: string): Promise<Scratch> {
  const own = `${hostname()}.${process.pid}.${randomUUID()}`;
  const folder = join(root, own);
  // Called before each use: another process may have removed the folder while this one was stopped.
  const makeOwn = (): Promise<unknown> => mkdir(folder, { recursive: true, mode: 0o700 });
  await makeOwn();

  const sweep = async (): Promise<void> => {
    for (const name of await readdir(root)) {
      const path = join(root, name);
      if (name === own || !(await isAbandoned(path, name))) continue;
      await killThoseIn(path);
      await rm(path, { recursive: true, force: true });
    }
  };
  const touchOwn = async (): Promise<void> => {
    await makeOwn();
    const now = new Date();
    await utimes(folder, now, now);
    await sweep();
  };
  let showing = Promise.resolve();
  const timer = setInterval(() => {
    showing = showing.then(touchOwn).catch(() => undefined);
  }, SIGN_OF_LIFE_MS).unref();
  await sweep();

  return {
    make: async () => {
      await makeOwn();
      const path = await mkdtemp(join(folder, 'work-'));
      return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
    },
    sweep,
    close: async () => {
      clearInterval(timer);
      await showing;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function isAbandoned(path: string, name: string): Promise<boolean> {
  const parts = name.split('.');
  const [pid, host] = [Number(parts.at(-2)), parts.slice(0, -2).join('.')];
  const isHere = host === hostname();
  // Process ids are reused, especially in containers. An id that is in use proves little; one that is not proves the end.
  if (isHere && !isAlive(pid)) return true;
  const silence = isHere && pid !== process.pid ? ABANDONED_BY_RUNNING_MS : ABANDONED_MS;
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > silence;
}

/** When a process is killed, its FFmpeg goes on. Where there is no /proc, its limit of CPU time ends it. */
async function killThoseIn(folder: string): Promise<void> {
  for (const pid of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(pid)) continue;
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    // The sandbox may name files relative to the root (`sandbox.ts`). The names of the folders are unique.
    if (
      !command
        .split('\0')
        .some((argument) => argument.startsWith(`${folder}/`) || argument.startsWith(`${basename(folder)}/`))
    )
      continue;
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // The process has ended meanwhile, or belongs to another user.
    }
  }
}
