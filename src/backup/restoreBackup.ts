import { open, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { openDataFolder } from '../config/dataFolder.ts';
import { StartError } from '../core/startError.ts';
import { createPostgresEventStore } from '../eventStore/postgres/postgresEventStore.ts';
import { createPostgresImport } from '../eventStore/postgres/postgresImport.ts';
import { checkLog } from '../eventStore/integrity/checkLog.ts';
import { createFolderObjectStore, objectFolder } from '../objectStore/folderObjectStore.ts';
import type { ObjectStore } from '../objectStore/objectStore.ts';
import { startEmbeddedPostgres } from '../postgres/embeddedPostgres.ts';
import { takeInstanceLock } from '../postgres/instanceLock.ts';
import { writeKeyRows } from '../postgres/keyTables.ts';
import { migrate } from '../postgres/migrate.ts';
import { createPool } from '../postgres/pool.ts';
import { LOG, OBJECTS } from './format.ts';
import { readKeys } from './keysFile.ts';
import type { CheckedBackup } from './readBackup.ts';
import type { TarEntry } from './tar.ts';
import { markRestore, RESTORE_MARK, unmarkRestore } from './restoreMark.ts';

export interface RestoreOptions {
  readonly backup: CheckedBackup;
  /** Checked. */
  readonly keysFile: string;
  readonly dataDir: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly onProgress: (restored: { readonly events: number; readonly objects: number }) => void;
}

/** Files that a file system has of its own. */
const NOT_OURS = ['lost+found'];

/**
 * Makes a data folder of a backup. The folder must be empty, or one in which an earlier restore ended early: that one's
 * files are removed first. Until everything is there and checked, no server starts in the folder.
 * @throws StartError
 */
export async function restoreBackup(options: RestoreOptions): Promise<void> {
  const { backup, keysFile, dataDir, logger, signal } = options;
  await emptied(dataDir, logger);
  await markRestore(dataDir);
  await readKeys(keysFile, {
    secret: (file, content) => writeFile(join(dataDir, file), content, { mode: 0o600, flush: true }),
  });
  {
    await using parts = new AsyncDisposableStack();
    const server = await startEmbeddedPostgres({ dataDir, logger, signal });
    parts.defer(() => server.stop());
    const pool = createPool({ connectionString: server.url, name: 'restore', max: 4 });
    parts.defer(() => pool.end());
    await migrate(pool);
    await readKeys(keysFile, { rows: (table, rows) => writeKeyRows(pool, table, rows) });
    const imported = createPostgresImport(pool);
    await restoreParts(options, imported);
    const store = createPostgresEventStore({ pool, logger });
    parts.defer(() => store.close());
    await checkRestored(store, backup, signal);
  }
  await unmarkRestore(dataDir);
}

async function restoreParts(
  { backup, dataDir, signal, onProgress }: RestoreOptions,
  imported: ReturnType<typeof createPostgresImport>,
): Promise<void> {
  const objects = await createFolderObjectStore({
    root: objectFolder(dataDir),
    publicUrl: '',
    signed: { sign: (key) => key },
  });
  const seen = { events: 0, objects: 0 };
  for await (const part of backup.parts()) {
    signal.throwIfAborted();
    if (part.name.startsWith(LOG)) {
      const events = await backup.events(part);
      await imported.add(events);
      seen.events += events.length;
    }
    if (part.name.startsWith(OBJECTS)) {
      await restoreObject(backup, part, { objects, dataDir, signal });
      seen.objects++;
    }
    onProgress(seen);
  }
}

async function restoreObject(
  backup: CheckedBackup,
  part: TarEntry,
  { objects, dataDir, signal }: { readonly objects: ObjectStore } & Pick<RestoreOptions, 'dataDir' | 'signal'>,
): Promise<void> {
  const path = join(dataDir, 'restored-object');
  {
    await using file = await open(path, 'w', 0o600);
    for await (const chunk of backup.content(part)) await file.appendFile(chunk);
  }
  // The store keeps a link to the file.
  await objects.putFile(part.name.slice(OBJECTS.length), path, '', signal);
  await rm(path);
}

async function checkRestored(
  store: ReturnType<typeof createPostgresEventStore>,
  { end: { events, digest } }: CheckedBackup,
  signal: AbortSignal,
): Promise<void> {
  if (digest === undefined) return;
  const sealed = { events, digest };
  const { broken } = await checkLog({ store, until: await store.head(), gapless: true, sealed, signal });
  if (broken !== undefined)
    throw new StartError(
      `The restored log is not that of the backup, at position ${broken.position}: ${broken.problem}`,
    );
}

/** Makes the folder, or removes what an interrupted restore has left in it. @throws StartError when it has anything else */
async function emptied(dataDir: string, logger: Logger): Promise<void> {
  openDataFolder(dataDir);
  const found = (await readdir(dataDir)).filter((name) => !NOT_OURS.includes(name));
  if (found.length === 0) return;
  if (!found.includes(RESTORE_MARK))
    throw new StartError(
      `DATA_DIR (${dataDir}) is not empty, and a restore never replaces data. Set DATA_DIR to a new folder.`,
    );
  const lock = await takeInstanceLock(dataDir);
  if (lock === undefined) throw new StartError(`Another restore into DATA_DIR (${dataDir}) is under way.`);
  await lock.release();
  // Stops a server that has outlived a killed restore.
  if (found.includes('postgres')) await (await startEmbeddedPostgres({ dataDir, logger })).stop();
  for (const name of await readdir(dataDir))
    if (!NOT_OURS.includes(name) && name !== RESTORE_MARK) await rm(join(dataDir, name), { recursive: true });
}
