import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';

/** A temporary folder that is gone when it is disposed, whatever happened in it. */
export interface ScratchFolder extends AsyncDisposable {
  readonly path: string;
}

/** Makes temporary folders for uploads and jobs, and clears up behind processes that could not. */
export interface Scratch {
  make(): Promise<ScratchFolder>;
  /** Removes what processes that are gone left, and kills the FFmpeg that one may have left running in it. */
  sweep(): Promise<void>;
  close(): Promise<void>;
}

/** How often a process says, by touching its folder, that it is still there. */
const SIGN_OF_LIFE_MS = 10_000;
/** Without a sign of life for this long, a folder belongs to nobody (also on another machine, in another container). */
const ABANDONED_MS = 60_000;
/** The same for an owner that can be seen here: it may be stopped, and go on. Or its number was given out again. */
const ABANDONED_BY_THE_LIVING_MS = 60 * 60_000;

/** Each process has a folder of its own under `root`, so that it can be told whose is whose after a crash. */
export async function createScratch(root: string): Promise<Scratch> {
  const own = `${hostname()}.${process.pid}.${randomUUID()}`;
  const folder = join(root, own);
  // Again and again: another process may have swept it, while this one was stopped.
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
  const showLife = async (): Promise<void> => {
    await makeOwn();
    const now = new Date();
    await utimes(folder, now, now);
    await sweep();
  };
  let showing = Promise.resolve();
  const timer = setInterval(() => {
    showing = showing.then(showLife).catch(() => undefined);
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
  // Process ids come round again, above all in containers: an id that is in use proves little, one that is not does.
  if (isHere && !isAlive(pid)) return true;
  const patience = isHere && pid !== process.pid ? ABANDONED_BY_THE_LIVING_MS : ABANDONED_MS;
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > patience;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** An FFmpeg outlives the process that started it when that is killed. Where there is no /proc, its CPU limit ends it. */
async function killThoseIn(folder: string): Promise<void> {
  for (const pid of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(pid)) continue;
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    // The sandbox may name files by what is below the root (`sandbox.ts`); a process's folder has a name of its own.
    if (
      !command
        .split('\0')
        .some((argument) => argument.startsWith(`${folder}/`) || argument.startsWith(`${basename(folder)}/`))
    )
      continue;
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // Gone in the meantime, or somebody else's.
    }
  }
}
