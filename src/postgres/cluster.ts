import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, lchown, mkdir, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isAlive } from '../core/isAlive.ts';
import { folderError } from '../config/dataFolder.ts';
import { StartError } from '../core/startError.ts';
import { namedAccount, serverAccount, type Account } from './account.ts';
import { providePostgres } from './binaries.ts';

/** A database cluster on disk, and what is needed to run a server on it. */
export interface Cluster {
  /** PostgreSQL's own data folder. */
  readonly folder: string;
  /** The folder of the programs. */
  readonly bin: string;
  /** The user that the server runs as. Undefined: the user of this process. */
  readonly account: Account | undefined;
  /** Whether this call has created it. */
  readonly created: boolean;
}

/**
 * The path of the data folder for a server that has it as its working directory. On Linux this path does not lead through the
 * folders above, so the server needs no access to them. A clone in a folder that only root may enter therefore works.
 */
export function ownFolder(folder: string): string {
  return existsSync('/proc/self/cwd') ? '/proc/self/cwd' : folder;
}

/** The server gets no other variables: LC_* and PG* would change its behaviour. */
export const SERVER_ENV = { LC_ALL: 'C', PATH: process.env['PATH'] ?? '/usr/bin:/bin' };

/**
 * The cluster in `dataDir`, which is an existing folder. Creates the cluster when there is none.
 * @throws StartError when the folder, its owner or its PostgreSQL version makes that impossible.
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
  const problem = version === undefined ? 'is not a PostgreSQL data folder' : `was created by PostgreSQL ${version}`;
  throw new StartError(
    `${folder} ${problem}, and this ReelStream runs PostgreSQL ${major}. Set DATA_DIR to a new folder, or move the data: run pg_dump with the ReelStream that created it, and psql with this one.`,
  );
}

/** A restored backup may belong to root and be readable by everybody. Only root can change the owner. */
async function makeOwner(folder: string, { uid }: Account, account: Account | undefined): Promise<void> {
  if (account !== undefined && uid !== account.uid) await giveTo(account, folder);
  if (account === undefined && uid !== process.geteuid?.()) {
    throw new StartError(
      `${folder} belongs to the user with id ${uid}. Start ReelStream as that user or as root, or set DATA_DIR to another folder.`,
    );
  }
  await chmod(folder, 0o700);
}

/** Creates the cluster beside its place and renames it, so that a killed start never leaves an incomplete cluster. */
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
    // Another first start was faster. Its cluster is used.
    if (['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function initdb(folder: string, bin: string, account: Account | undefined): Promise<void> {
  // Clients can only connect through a Unix socket that only its owner and root can reach (postmaster.ts).
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
      `PostgreSQL could not prepare ${folder}: ${reason || String(code)}. Fix this, or set DATABASE_URL to a PostgreSQL 14 or newer.`,
      { cause: error },
    );
  }
}

async function removeDrafts(folder: string): Promise<void> {
  const drafts = (await readdir(join(folder, '..'))).filter((name) => name.startsWith('postgres.new-'));
  for (const draft of drafts) {
    const pid = Number(draft.slice('postgres.new-'.length));
    if (pid !== process.pid && isAlive(pid)) continue;
    // Its initdb may still be writing. Then the next start removes it.
    await rm(join(folder, '..', draft), { recursive: true, force: true }).catch(() => undefined);
  }
}

async function giveTo({ uid, gid }: Account, folder: string): Promise<void> {
  await lchown(folder, uid, gid);
  for (const entry of await readdir(folder, { recursive: true })) await lchown(join(folder, entry), uid, gid);
}

export function ignoreMissing(error: unknown): undefined {
  if (!['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
}
