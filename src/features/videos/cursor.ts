/** Every cursor, and nothing else: 16 bytes in base64url, of whose last character only two bits are used. Empty: the beginning. */
export const CURSOR = /^(?:[A-Za-z0-9_-]{21}[AQgw])?$/;

/** A place in the feed, as clients carry it around: right behind the video with this id. */
export function cursorBehind(videoId: string): string {
  return Buffer.from(videoId.replaceAll('-', ''), 'hex').toString('base64url');
}

/** The id of the video behind which a cursor stands. The cursor must match `CURSOR` and must not be empty. */
export function videoBefore(cursor: string): string {
  const hex = Buffer.from(cursor, 'base64url').toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
