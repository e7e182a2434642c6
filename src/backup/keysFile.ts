import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { StartError } from '../core/startError.ts';
import { keyTables, type KeyRow, type KeyTable } from '../postgres/keyTables.ts';

/*
 * The keys of a backup: one JSON object a line. First whose keys they are, then the files of secrets, then the rows of
 * the tables with keys. The last line has the SHA-256 of all lines before it.
 */

const FORMAT = 'reelstream-keys-1';
export const KEYS_SUFFIX = '.keys';

/** Files of `DATA_DIR` that belong to the keys. */
export const secretFiles = ['secrets.json', 'seal.key'] as const;
export type SecretFile = (typeof secretFiles)[number];

const keysHeader = z.object({
  format: z.literal(FORMAT),
  /** As in the header of the backup. */
  log: z.uuid().nullable(),
  time: z.iso.datetime(),
});
export type KeysHeader = z.infer<typeof keysHeader>;

const keysLine = z.union([
  z.object({ file: z.enum(secretFiles), content: z.string() }),
  z.object({ table: z.enum(keyTables), rows: z.array(z.record(z.string(), z.unknown())) }),
  z.object({ end: z.string() }),
]);

export interface WriteKeysOptions {
  /** From `readKeyTables`. */
  readonly tables: AsyncIterable<{ readonly table: KeyTable; readonly rows: readonly KeyRow[] }>;
  readonly header: Omit<KeysHeader, 'format'>;
  readonly secrets: ReadonlyMap<SecretFile, string>;
  /** Open for writing, and empty. */
  readonly file: FileHandle;
}

export async function writeKeys({ tables, header, secrets, file }: WriteKeysOptions): Promise<void> {
  const sum = createHash('sha256');
  const add = async (line: object): Promise<void> => {
    const text = `${JSON.stringify(line)}\n`;
    sum.update(text);
    await file.appendFile(text);
  };
  await add({ format: FORMAT, ...header });
  for (const [name, content] of secrets) await add({ file: name, content });
  for await (const { table, rows } of tables) await add({ table, rows });
  await file.appendFile(`${JSON.stringify({ end: sum.digest('hex') })}\n`);
}

export interface KeysTarget {
  secret(file: SecretFile, content: string): Promise<void>;
  rows(table: KeyTable, rows: readonly KeyRow[]): Promise<void>;
}

/**
 * Reads a keys file to its end. Without a target, it is only checked.
 * @throws StartError when it is none, not all of it is there, or something of it was changed.
 */
export async function readKeys(path: string, target?: Partial<KeysTarget>): Promise<KeysHeader> {
  const sum = createHash('sha256');
  let header: KeysHeader | undefined;
  let isComplete = false;
  for await (const text of linesOf(path)) {
    if (isComplete) throw damaged(path);
    header ??= headerOf(text);
    if (header === undefined) throw new StartError(`${path} is no file with the keys of a backup.`);
    const line = text.startsWith('{"format"') ? undefined : lineOf(text);
    if (line === null) throw damaged(path);
    if (line !== undefined && 'end' in line) {
      isComplete = line.end === sum.digest('hex');
      if (!isComplete) throw damaged(path);
      continue;
    }
    sum.update(`${text}\n`);
    if (line !== undefined && 'file' in line) await target?.secret?.(line.file, line.content);
    if (line !== undefined && 'table' in line) await target?.rows?.(line.table, line.rows);
  }
  if (header === undefined || !isComplete) throw damaged(path);
  return header;
}

/** The newest keys file of the same log that lies beside one of these files, if it is newer than `than`. */
export async function newerKeys(paths: readonly string[], than: KeysHeader): Promise<string | undefined> {
  let newest = { path: undefined as string | undefined, time: than.time };
  for (const folder of new Set(paths.map(dirname))) {
    for (const name of await readdir(folder)) {
      if (!name.endsWith(KEYS_SUFFIX)) continue;
      const path = join(folder, name);
      const header = await firstLineOf(path);
      if (header?.log === than.log && header.time > newest.time) newest = { path, time: header.time };
    }
  }
  return newest.path;
}

async function firstLineOf(path: string): Promise<KeysHeader | undefined> {
  try {
    for await (const line of linesOf(path)) return headerOf(line);
  } catch {
    // Not ours, or not readable.
  }
  return undefined;
}

async function* linesOf(path: string): AsyncGenerator<string> {
  const input = createReadStream(path);
  try {
    yield* createInterface({ input, crlfDelay: Infinity });
  } catch (cause) {
    throw new StartError(`${path} cannot be read: ${(cause as Error).message}.`, { cause });
  } finally {
    input.destroy();
  }
}

function headerOf(line: string): KeysHeader | undefined {
  return keysHeader.safeParse(parsed(line)).data;
}

/** Null for a line that no keys file has. */
function lineOf(line: string): z.infer<typeof keysLine> | null {
  return keysLine.safeParse(parsed(line)).data ?? null;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function damaged(path: string): StartError {
  return new StartError(`${basename(path)} is not complete, or it was changed or damaged. Take another copy of it.`);
}
