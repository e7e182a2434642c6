import { createHash, hash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import type { z } from 'zod';
import type { RecordedEvent } from '../core/event.ts';
import { StartError } from '../core/startError.ts';
import { backupEnd, backupHeader, FIRST, LAST, SUMS, type BackupEnd, type BackupHeader } from './format.ts';
import { NotATar, readTar, type TarEntry } from './tar.ts';

/** A backup that is complete, and as it was written. */
export interface CheckedBackup extends AsyncDisposable {
  readonly header: BackupHeader;
  readonly end: BackupEnd;
  /** Its parts, in their order. */
  parts(): AsyncGenerator<TarEntry>;
  content(part: TarEntry): AsyncIterable<Buffer> | readonly Buffer[];
  /** The events of a part of the log. */
  events(part: TarEntry): Promise<RecordedEvent[]>;
}

/**
 * Opens a backup and reads all of it once.
 * @throws StartError when it is no backup, not all of it is there, or something of it was changed.
 */
export async function openBackup(
  path: string,
  { signal, onProgress }: { readonly signal: AbortSignal; readonly onProgress: (share: number) => void },
): Promise<CheckedBackup> {
  const refuse = (reason: string, cause?: unknown): never => {
    throw new StartError(`${path} is not a complete backup: ${reason}.`, { cause });
  };
  const file = await open(path).catch((cause: Error) => {
    throw new StartError(`${path} cannot be read: ${cause.message}.`, { cause });
  });
  try {
    const checked = await check(file, { signal, onProgress, refuse });
    return {
      ...checked,
      parts: () => readTar(file),
      content: (part) => contentOf(file, part),
      events: async (part) =>
        (await textOf(file, part)).split('\n').flatMap((line) => (line === '' ? [] : eventOf(line))),
      [Symbol.asyncDispose]: () => file.close(),
    };
  } catch (error) {
    await file.close();
    if (error instanceof NotATar) return refuse(error.message, error);
    throw error;
  }
}

interface CheckOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (share: number) => void;
  readonly refuse: (reason: string, cause?: unknown) => never;
}

async function check(
  file: FileHandle,
  { signal, onProgress, refuse }: CheckOptions,
): Promise<Pick<CheckedBackup, 'header' | 'end'>> {
  const { size } = await file.stat();
  const sums: string[] = [];
  let header: BackupHeader | undefined;
  let end: BackupEnd | undefined;
  for await (const part of readTar(file)) {
    signal.throwIfAborted();
    if (end !== undefined) refuse('something follows its end');
    if (header === undefined && part.name !== FIRST) refuse('it is an archive of something else');
    if (part.name === FIRST) header = await jsonOf(file, part, backupHeader, refuse);
    if (part.name === SUMS) checkSums(sums, await textOf(file, part), refuse);
    if (part.name === LAST) {
      end = await jsonOf(file, part, backupEnd, refuse);
      if (end.sums !== hash('sha256', sums.slice(0, -1).join(''))) refuse(`${SUMS} was changed or damaged`);
    }
    const sum = createHash('sha256');
    for await (const chunk of contentOf(file, part)) sum.update(chunk);
    sums.push(`${sum.digest('hex')}  ${part.name}\n`);
    onProgress((part.offset + part.size) / size);
  }
  if (header === undefined || end === undefined) return refuse('its end is missing');
  return { header, end };
}

function checkSums(found: readonly string[], listed: string, refuse: CheckOptions['refuse']): void {
  if (found.join('') === listed) return;
  const lines = new Set(listed.split('\n'));
  const other = found.find((line) => !lines.has(line.slice(0, -1)));
  refuse(other === undefined ? 'some of its parts are missing' : `${other.slice(66, -1)} was changed or damaged`);
}

function contentOf(file: FileHandle, { offset, size }: TarEntry): AsyncIterable<Buffer> | readonly Buffer[] {
  if (size === 0) return [];
  const range = { start: offset, end: offset + size - 1 };
  return file.createReadStream({ ...range, autoClose: false, highWaterMark: 1024 * 1024 });
}

async function textOf(file: FileHandle, part: TarEntry): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of contentOf(file, part)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function jsonOf<T>(
  file: FileHandle,
  part: TarEntry,
  schema: z.ZodType<T>,
  refuse: CheckOptions['refuse'],
): Promise<T> {
  try {
    return schema.parse(JSON.parse(await textOf(file, part)));
  } catch (error) {
    return refuse(`${part.name} is not as this version of ReelStream writes and reads it`, error);
  }
}

/** The sums of the parts have shown that the line is as it was written. */
function eventOf(line: string): RecordedEvent {
  const event = JSON.parse(line) as Omit<RecordedEvent, 'position' | 'time'> & { position: string; time: string };
  return { ...event, position: BigInt(event.position), time: new Date(event.time) };
}
