import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, lchown, mkdir, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { folderError } from '../config/dataFolder.ts';
import { StartError } from '../core/startError.ts';
import { namedAccount, serverAccount, type Account } from './account.ts';
import { providePostgres } from './binaries.ts';

/** A database cluster on disk, and what it takes to run a server on it. */
export interface Cluster {
  /** PostgreSQL's own data folder. */
  readonly folder: string;
  /** Where the programs are. */
  readonly bin: string;
  /** Whom the server runs as; ourselves when undefined. */
  readonly account: Account | undefined;
  /** This call made it. */
  readonly created: boolean;
}

/**
 * How a server that is started with its data folder as working directory names that folder. On Linux the name leads
 * there without walking the path, so the server needs no access to the folders above: root's clone in a folder that
 * only root may enter works.
 */
export function ownFolder(folder: string): string {
  return existsSync('/proc/self/cwd') ? '/proc/self/cwd' : folder;
}

/** A clean slate: npm's and the user's variables mean nothing to the server, or worse (LC_*, PG*). */
export const SERVER_ENV = { LC_ALL: 'C', PATH: process.env['PATH'] ?? '/usr/bin:/bin' };

/**
 * The cluster in `dataDir`, a folder that is there; made when there is none yet.
 * @throws StartError when the folder, its owner or its PostgreSQL version does not allow it.
 */
export async function openCluster(dataDir: string): Promise<Cluster> {
  const folder = join(dataDir, 'postgres');
  try {
    const found = await stat(folder).catch(ignoreMissing);
    const account = serverAccount(found);
    const { bin, major } = await providePostgres({ account, dataDir });
    if (found === undefined) return { folder, bin, account, created: await create(folder, bin, account) };
    await checkVersion(folder, major);
    await makeOwner(folder, found, account);
    return { folder, bin, account, created: false };
  } catch (error) {
    throw folderError(dataDir, error);
  }
}

async function checkVersion(folder: string, major: number): Promise<void> {
  const version = (await readFile(join(folder, 'PG_VERSION'), 'utf8').catch(ignoreMissing))?.trim();
  if (version === String(major)) return;
  const made = version === undefined ? 'is not a PostgreSQL data folder' : `was made by PostgreSQL ${version}`;
  throw new StartError(
    `${folder} ${made}, and this ReelStream runs PostgreSQL ${major}. Set DATA_DIR to a new folder, or move the data with the ReelStream that made it: pg_dump there, psql here.`,
  );
}

/** Backups come back as root's, wide open; a server of another user than ours is not ours to run. */
async function makeOwner(folder: string, { uid }: Account, account: Account | undefined): Promise<void> {
  if (account !== undefined && uid !== account.uid) await giveTo(account, folder);
  if (account === undefined && uid !== process.geteuid?.()) {
    throw new StartError(
      `${folder} belongs to the user with id ${uid}. Start ReelStream as that user or as root, or set DATA_DIR to another folder.`,
    );
  }
  await chmod(folder, 0o700);
}

/** Made beside its place and moved there whole: what a killed start leaves behind is never taken for a cluster. */
async function create(folder: string, bin: string, account: Account | undefined): Promise<boolean> {
  await removeDrafts(folder);
  const draft = `${folder}.new-${process.pid}`;
  await mkdir(draft, { mode: 0o700 });
  try {
    const maker = account && (await namedAccount());
    if (maker) await chown(draft, maker.uid, maker.gid);
    await initdb(draft, bin, maker);
    if (account) await giveTo(account, draft);
    await rename(draft, folder);
    return true;
  } catch (error) {
    // Another first start was quicker; its cluster serves as well.
    if (['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function initdb(folder: string, bin: string, account: Account | undefined): Promise<void> {
  // Sockets are the only way in, and only their owner (and root) can reach them: see postmaster.ts.
  const settings = [
    '--username=reelstream',
    '--encoding=UTF8',
    '--locale=C',
    '--auth-local=trust',
    '--auth-host=reject',
    '--no-instructions',
  ];
  try {
    await promisify(execFile)(join(bin, 'initdb'), ['-D', ownFolder(folder), ...settings], {
      cwd: folder,
      env: SERVER_ENV,
      ...account,
    });
  } catch (error) {
    const { code, stderr = '' } = error as { code?: string | number; stderr?: string };
    if (stderr.includes('No space left')) throw Object.assign(new Error('initdb'), { code: 'ENOSPC', cause: error });
    const reason =
      stderr
        .trim()
        .split('\n')
        .findLast((line) => line.startsWith('initdb:') || line.includes('FATAL')) ?? stderr.trim();
    throw new StartError(
      `PostgreSQL could not prepare ${folder}: ${reason || String(code)}. Mend that, or set DATABASE_URL to a PostgreSQL 14 or newer.`,
      { cause: error },
    );
  }
}

async function removeDrafts(folder: string): Promise<void> {
  const drafts = (await readdir(join(folder, '..'))).filter((name) => name.startsWith('postgres.new-'));
  for (const draft of drafts) {
    const pid = Number(draft.slice('postgres.new-'.length));
    if (pid !== process.pid && isAlive(pid)) continue;
    // Its initdb may still be writing; then the next start gets it.
    await rm(join(folder, '..', draft), { recursive: true, force: true }).catch(() => undefined);
  }
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function giveTo({ uid, gid }: Account, folder: string): Promise<void> {
  await lchown(folder, uid, gid);
  for (const entry of await readdir(folder, { recursive: true })) await lchown(join(folder, entry), uid, gid);
}

export function ignoreMissing(error: unknown): undefined {
  if (!['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
}
