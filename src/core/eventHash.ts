import { hash } from 'node:crypto';
import type { RecordedEvent } from './event.ts';

/** What is stored of an event; its data and metadata are the texts that `JSON.stringify` makes. */
export interface StoredContent {
  readonly stream: string;
  readonly id: string;
  readonly type: string;
  readonly data: string;
  readonly metadata: string;
}

/**
 * SHA-256 of what an event holds, as a string of 32 characters, one for each byte (`latin1`): that takes half the time
 * of a Buffer. None of the parts contains a line break, so two events never have the same input.
 *
 * Neither this nor `eventHash` may ever change: hashes are in the log. PostgreSQL makes the same ones
 * (`migrations/0012_event_hashes.ts`).
 */
export function contentHash({ stream, id, type, data, metadata }: StoredContent): string {
  return hash('sha256', `${stream}\n${id}\n${type}\n${data}\n${metadata}`, 'binary');
}

/**
 * The hash of an event, hexadecimal: SHA-256 of the hash of the event before it in its stream, of its content, and of
 * its time (milliseconds, eight bytes). If anything of an event changes, its hash no longer fits; if its hash changes,
 * that of the next event no longer fits. `previous` is undefined for the first event of a stream, and after an event
 * that has no hash; `time` when the store sets it after the hash is made.
 */
export function eventHash(previous: string | undefined, content: string, time: Date | undefined): string {
  const parts = [Buffer.from(content, 'latin1')];
  if (previous !== undefined) parts.unshift(Buffer.from(previous, 'hex'));
  if (time !== undefined) {
    const milliseconds = Buffer.alloc(8);
    milliseconds.writeBigInt64BE(BigInt(time.getTime()));
    parts.push(milliseconds);
  }
  return hash('sha256', Buffer.concat(parts));
}

/** `contentHash` of an event as it is read. */
export function contentOf({ stream, id, type, data, metadata }: RecordedEvent): string {
  return contentHash({ stream, id, type, data: JSON.stringify(data), metadata: JSON.stringify(metadata) });
}
