import { DomainError } from '../core/errors.ts';

/** A place in the feed, as clients carry it around: right behind the video with this id. */
export function cursorBehind(videoId: string): string {
  return Buffer.from(videoId.replaceAll('-', ''), 'hex').toString('base64url');
}

/** The id of the video behind which the cursor stands. @throws DomainError `validation_failed` for what is no cursor of ours. */
export function videoBefore(cursor: string): string {
  const hex = Buffer.from(cursor, 'base64url').toString('hex');
  const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  if (hex.length === 32 && cursorBehind(id) === cursor) return id;
  throw new DomainError('invalid', 'validation_failed', 'The cursor is not valid.', {
    fields: [{ path: 'cursor', message: 'must be a nextCursor as it was given' }],
  });
}
