import { createHash, hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { RecordedEvent } from '../core/event.ts';
import type { EventStore } from '../core/eventStore.ts';
import { createFirstEventId } from '../core/logId.ts';
import { version } from '../core/version.ts';
import { createLogCheck, type Break } from '../eventStore/integrity/checkLog.ts';
import { BACKUP_FORMAT, FIRST, LAST, LOG, OBJECTS, SUMS, type BackupEnd, type BackupHeader } from './format.ts';
import { TAR_END, tarHeader, tarPadding } from './tar.ts';

/** Events of one part of the log. */
const BATCH_SIZE = 1_000;

/** Objects that lie on this machine. */
export interface BackedUpObjects {
  /** Keys of those that belong into a backup. */
  list(): AsyncIterable<string>;
  /** Undefined when the object does not exist any more. */
  open(key: string): Promise<FileHandle | undefined>;
}

export interface BackupProgress {
  readonly objects: number;
  /** Of the objects. */
  readonly bytes: number;
  readonly events: number;
  readonly position: bigint;
}

export interface WriteBackupOptions {
  /** Its events are in their stored form. */
  readonly store: Pick<EventStore, 'readAll' | 'readStream' | 'head'>;
  readonly objects: BackedUpObjects;
  /** Whether objects may move or go after this event. */
  readonly concernsObjects: (event: RecordedEvent) => boolean;
  /** Open for writing, and empty. */
  readonly file: FileHandle;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: BackupProgress) => void;
}

export interface WrittenBackup {
  readonly header: BackupHeader;
  readonly end: BackupEnd;
  /** The first event that is not as it was recorded. */
  readonly broken: Break | undefined;
}

/**
 * Writes a backup of a system that may be running.
 *
 * What it holds is the log up to a position, and every object of the videos that the log has at that position: an object
 * is stored before the event that names it, and removed after the event that deletes or moves it. So the objects are
 * listed after the log is read, and both again until nothing happened meanwhile that may have removed an object. An
 * object that goes on the way is named by no later part of the log.
 */
export async function writeBackup(options: WriteBackupOptions): Promise<WrittenBackup> {
  const { store, objects, concernsObjects, file, signal, onProgress } = options;
  const time = new Date();
  const sums: string[] = [];
  const written = new Set<string>();
  let bytes = 0;
  let position = 0n;
  let broken: Break | undefined;
  let events = 0;
  const check = createLogCheck({ store, gapless: true });
  const report = (): void => onProgress({ objects: written.size, bytes, events, position });

  async function add(name: string, size: number, content: AsyncIterable<Buffer> | readonly Buffer[]): Promise<void> {
    await file.appendFile(tarHeader(name, size, time));
    const sum = createHash('sha256');
    let left = size;
    for await (const chunk of content) {
      signal.throwIfAborted();
      sum.update(chunk);
      left -= chunk.length;
      await file.appendFile(chunk);
    }
    if (left !== 0) throw new Error(`${name} changed while it was read`);
    await file.appendFile(tarPadding(size));
    sums.push(`${sum.digest('hex')}  ${name}\n`);
  }

  const addText = (name: string, text: string): Promise<void> => {
    const content = Buffer.from(text);
    return add(name, content.length, [content]);
  };

  async function addObjects(): Promise<void> {
    for await (const key of objects.list()) {
      if (written.has(key)) continue;
      await using object = await objects.open(key);
      if (object === undefined) continue;
      const { size } = await object.stat();
      await add(`${OBJECTS}${key}`, size, object.createReadStream({ autoClose: false, highWaterMark: 1024 * 1024 }));
      written.add(key);
      bytes += size;
      report();
    }
  }

  /** Whether something in the new part of the log may have removed objects. */
  async function addLog(): Promise<boolean> {
    let concerned = false;
    for await (const page of store.readAll({ after: position, hashes: true, batchSize: BATCH_SIZE, signal })) {
      if (page.events.length === 0) continue;
      if (broken === undefined) await check.load(page.events);
      for (const event of page.events) {
        broken ??= check.add(event);
        concerned ||= concernsObjects(event);
      }
      await addText(`${LOG}${String(page.events[0]!.position).padStart(16, '0')}.ndjson`, linesOf(page.events));
      events += page.events.length;
      position = page.position;
      report();
    }
    return concerned;
  }

  const header = {
    format: BACKUP_FORMAT,
    version,
    log: await createFirstEventId(store)(),
    time: time.toISOString(),
  } as const;
  await addText(FIRST, `${JSON.stringify(header)}\n`);
  await addObjects();
  await addLog();
  do await addObjects();
  while (await addLog());
  broken ??= await check.end(signal);

  const list = sums.join('');
  await addText(SUMS, list);
  const end: BackupEnd = {
    events,
    position: String(position),
    ...(broken === undefined && { digest: check.seen.digest }),
    objects: written.size,
    bytes,
    sums: hash('sha256', list),
  };
  await addText(LAST, `${JSON.stringify(end)}\n`);
  await file.appendFile(TAR_END);
  return { header, end, broken };
}

function linesOf(events: readonly RecordedEvent[]): string {
  return events.map((event) => `${JSON.stringify({ ...event, position: String(event.position) })}\n`).join('');
}
