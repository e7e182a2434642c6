import { existsSync } from 'node:fs';
import { open, readdir, readFile, rename, rm, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { KEYS_SUFFIX, newerKeys, readKeys, secretFiles, writeKeys, type SecretFile } from '../backup/keysFile.ts';
import { openBackup } from '../backup/readBackup.ts';
import { refuseUnfinishedRestore } from '../backup/restoreMark.ts';
import { restoreBackup } from '../backup/restoreBackup.ts';
import { writeBackup } from '../backup/writeBackup.ts';
import { dataDirOf } from '../config/config.ts';
import { isAlive } from '../core/isAlive.ts';
import { StartError } from '../core/startError.ts';
import { listFiles, objectFolder, openObject } from '../objectStore/folderObjectStore.ts';
import { readKeyTables } from '../postgres/keyTables.ts';
import { createLogger } from '../telemetry/logger.ts';
import { openLogWithoutKeys, type OpenedLog } from './openLog.ts';
import { print } from './output.ts';
import { createProgressBar, type ProgressBar } from './progressBar.ts';

/** What is made of videos, and their originals. Parts of unfinished uploads do not belong into a backup. */
const BACKED_UP = ['originals/', 'videos/', 'private/'];
/** The streams whose events name, move and remove objects. */
const VIDEO_STREAMS = 'video-';
/** Checking a backup takes about this share of the time of writing it. */
const SHARE_OF_CHECKING = 0.3;

export async function backup(signal: AbortSignal, path: string): Promise<number> {
  const dataDir = embeddedDataDir('backup');
  if (!existsSync(join(dataDir, 'postgres')))
    throw new StartError(`DATA_DIR (${dataDir}) has no data to back up. Set DATA_DIR to the folder of the system.`);
  refuseUnfinishedRestore(dataDir);
  const keysPath = `${path}${KEYS_SUFFIX}`;
  for (const each of [path, keysPath])
    if (existsSync(each)) throw new StartError(`${each} exists. A backup never replaces a file: choose another name.`);
  await using opened = await openLogWithoutKeys('backup', signal);
  await using file = await openDraft(path);
  const { store, pool } = opened;
  using bar = createProgressBar();

  const root = objectFolder(dataDir);
  const total = await bytesIn(root);
  const head = await store.head();
  const { header, end, broken } = await file.written(
    writeBackup({
      store,
      objects: { list: () => listAll(root), open: (key) => openObject(root, key) },
      concernsObjects: ({ stream }) => stream.startsWith(VIDEO_STREAMS),
      file: file.handle,
      signal,
      onProgress: ({ objects, bytes, events, position }) => {
        const share = (bytes + Number(position) * 500) / (total + Number(head) * 500);
        bar.show(share * (1 - SHARE_OF_CHECKING), `${objects} objects, ${events} events`);
      },
    }),
  );
  // After the log: whoever is in the log has a key.
  await using keysFile = await writeKeysFile(keysPath, { pool, dataDir, log: header.log });
  await Promise.all([file.flush(), keysFile.flush()]);
  await readKeys(keysFile.path);
  await checkWritten(file.path, { bar, signal });
  await keysFile.complete();
  await file.complete();
  bar[Symbol.dispose]();
  const lines = [
    `${path}: ${end.events} events, up to position ${end.position}, and ${end.objects} objects (${end.bytes} bytes).`,
    `${keysPath}: the keys. Whoever has both files can read everything: keep them in different places. To let forgotten users be forgotten in backups as well, delete older keys files: the newest one opens every backup.`,
  ];
  await print(`${lines.join('\n')}\n`);
  if (broken === undefined) return 0;
  console.error(
    `The log is broken at position ${broken.position}: ${broken.problem} It was backed up as it is. See "events check".`,
  );
  return 1;
}

export async function restore(
  signal: AbortSignal,
  path: string,
  { keys: keysFile = `${path}${KEYS_SUFFIX}` }: { readonly keys?: string | undefined },
): Promise<number> {
  const dataDir = embeddedDataDir('restore');
  using bar = createProgressBar();
  const keys = await readKeys(keysFile);
  await using backup = await openBackup(path, {
    signal,
    onProgress: (share) => bar.show(share * SHARE_OF_CHECKING, 'checking the backup'),
  });
  const { header, end } = backup;
  if (header.log !== null && keys.log !== header.log)
    throw new StartError(`${keysFile} has the keys of another system.`);
  if (keys.time < header.time)
    throw new StartError(
      `${keysFile} is older than the backup, so keys are missing in it. Give the one that was written with it, or a newer one, by --keys.`,
    );
  const newer = await newerKeys(
    [path, keysFile].map((each) => resolve(each)),
    keys,
  );
  if (newer !== undefined)
    console.error(
      `Warning: ${newer} is newer than ${keysFile}. With older keys, users who have been forgotten since are there again. To use the newer ones: --keys ${newer}`,
    );
  const logger = createLogger({ level: 'warn', role: 'restore', destination: process.stderr });
  await restoreBackup({
    backup,
    keysFile,
    dataDir,
    logger,
    signal,
    onProgress: ({ events, objects }) => {
      const share = (events + objects) / Math.max(1, end.events + end.objects);
      bar.show(SHARE_OF_CHECKING + share * (1 - SHARE_OF_CHECKING), `${objects} objects, ${events} events`);
    },
  }).catch(forUser);
  bar[Symbol.dispose]();
  await print(
    `${dataDir}: ${end.events} events, up to position ${end.position}, and ${end.objects} objects, as of ${header.time}. Start ReelStream: it builds the read models.\n`,
  );
  return 0;
}

/** @throws StartError unless everything is in the data folder. */
function embeddedDataDir(command: string): string {
  const elsewhere = ['DATABASE_URL', 'EVENTSTORE_URL', 'MINIO_ENDPOINT'].filter((name) => process.env[name]?.trim());
  if (elsewhere.length === 0) return dataDirOf(process.env);
  throw new StartError(
    `"${command}" is for systems with all their data in DATA_DIR, and ${elsewhere.join(' and ')} is set. Use the tools of these servers, or "log copy".`,
  );
}

async function* listAll(root: string): AsyncGenerator<string> {
  for (const prefix of BACKED_UP) yield* listFiles(root, prefix);
}

async function bytesIn(root: string): Promise<number> {
  let bytes = 0;
  for await (const key of listAll(root)) {
    await using object = await openObject(root, key);
    bytes += (await object?.stat())?.size ?? 0;
  }
  return bytes;
}

async function secretsIn(dataDir: string): Promise<Map<SecretFile, string>> {
  const found = new Map<SecretFile, string>();
  for (const name of secretFiles)
    if (existsSync(join(dataDir, name))) found.set(name, await readFile(join(dataDir, name), 'utf8'));
  return found;
}

interface KeysOf extends Pick<OpenedLog, 'pool'> {
  readonly dataDir: string;
  readonly log: string | null;
}

/** Writes the keys again if secrets are replaced meanwhile: secrets and keys must fit together. */
async function writeKeysFile(path: string, { pool, dataDir, log }: KeysOf): Promise<Draft> {
  for (;;) {
    await using parts = new AsyncDisposableStack();
    const secrets = await secretsIn(dataDir);
    const draft = parts.use(await openDraft(path));
    const header = { log, time: new Date().toISOString() };
    await draft.written(writeKeys({ tables: readKeyTables(pool), header, secrets, file: draft.handle }));
    if (!isDeepStrictEqual(secrets, await secretsIn(dataDir))) continue;
    parts.move();
    return draft;
  }
}

async function checkWritten(
  path: string,
  { bar, signal }: { readonly bar: ProgressBar; readonly signal: AbortSignal },
): Promise<void> {
  await using _ = await openBackup(path, {
    signal,
    onProgress: (share) => bar.show(1 - SHARE_OF_CHECKING * (1 - share), 'checking the backup'),
  });
}

/** A file that gets its name when it is complete. Only its owner may read it. */
interface Draft extends AsyncDisposable {
  readonly path: string;
  readonly handle: FileHandle;
  /** Waits for what writes to the file. @throws StartError when there is no room */
  written<T>(writing: Promise<T>): Promise<T>;
  flush(): Promise<void>;
  complete(): Promise<void>;
}

async function openDraft(path: string): Promise<Draft> {
  const refuse = (error: NodeJS.ErrnoException): never => {
    if (error.syscall === undefined) throw error;
    throw new StartError(`${path} cannot be written: ${error.message}.`, { cause: error });
  };
  await removeAbandoned(path).catch(refuse);
  const draft = `${path}.${process.pid}.part`;
  const handle = await open(draft, 'w', 0o600).catch(refuse);
  return {
    path: draft,
    handle,
    written: (writing) => writing.catch(refuse),
    flush: () => handle.sync().catch(refuse),
    complete: () => rename(draft, path).catch(refuse),
    async [Symbol.asyncDispose]() {
      await handle.close();
      await rm(draft, { force: true });
    },
  };
}

/** Removes what killed backups of this name have left. */
async function removeAbandoned(path: string): Promise<void> {
  const folder = dirname(resolve(path));
  for (const name of await readdir(folder)) {
    const pid = name.startsWith(`${basename(path)}.`) ? /\.(\d+)\.part$/.exec(name)?.[1] : undefined;
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(folder, name));
  }
}

function forUser(error: NodeJS.ErrnoException): never {
  const isFull = error.code === 'ENOSPC' || error.code === 'EDQUOT';
  if (!isFull) throw error;
  throw new StartError('The disk is full. Make room, and run the same command again.', { cause: error });
}
