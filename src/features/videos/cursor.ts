/**
 * Matches exactly the cursors: 16 bytes in base64url, whose last character has two bits. The empty cursor is the
 * beginning.
 */
export const CURSOR = /^(?:[A-Za-z0-9_-]{21}[AQgw])?$/;

/** The cursor for the place in the feed directly after the video with this id. */
export function cursorBehind(videoId: string): string {
  return Buffer.from(videoId.replaceAll('-', ''), 'hex').toString('base64url');
}

/** The id of the video directly before the cursor. The cursor must match `CURSOR` and must not be empty. */
export function videoBefore(cursor: string): string {
  const hex = Buffer.from(cursor, 'base64url').toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
