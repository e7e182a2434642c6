import { z } from 'zod';

/*
 * A backup is a tar archive. In this order it holds
 *
 *   backup.json            what it is of, and when it was made
 *   objects/<key>          files of videos
 *   log/<position>.ndjson  events in their order, one JSON object a line; the position is that of the first
 *   SHA256SUMS             a line for each file before it, as `sha256sum` writes and checks them
 *   end.json               how much there is, and the hash of SHA256SUMS
 *
 * Objects and parts of the log may alternate. Personal data is sealed. The keys are in a second file (`keysFile.ts`).
 * A line of `log/…` is a `RecordedEvent` as it is stored, with its hash; its position is a text.
 */

export const BACKUP_FORMAT = 'reelstream-backup-1';

export const FIRST = 'backup.json';
export const SUMS = 'SHA256SUMS';
export const LAST = 'end.json';
export const OBJECTS = 'objects/';
export const LOG = 'log/';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

export const backupHeader = z.object({
  format: z.literal(BACKUP_FORMAT),
  /** Of the program that made it. */
  version: z.string(),
  /** The id of the first event; null when there was none. */
  log: z.uuid().nullable(),
  time: z.iso.datetime(),
});
export type BackupHeader = z.infer<typeof backupHeader>;

export const backupEnd = z.object({
  events: z.int(),
  /** Of the last event. */
  position: z.string().regex(/^\d+$/),
  /** Of the log, as a seal has it (`Digest`). Absent when an event was not as it had been recorded. */
  digest: sha256.or(z.literal('')).optional(),
  objects: z.int(),
  /** Of the objects. */
  bytes: z.int(),
  sums: sha256,
});
export type BackupEnd = z.infer<typeof backupEnd>;
