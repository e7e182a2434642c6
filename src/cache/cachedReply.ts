import { hash } from 'node:crypto';
import { PreparedBytes } from '../http/reply/preparedBytes.ts';
import type { CachedForm } from './queryCache.ts';

/** A serialised answer with a strong ETag of its bytes. */
export interface CachedReply {
  readonly bytes: PreparedBytes;
  readonly etag: string;
}

export function cachedReply(bytes: Buffer): CachedReply {
  return { bytes: new PreparedBytes(bytes), etag: `"${digestOf(bytes)}"` };
}

/** Changes whenever the bytes change. */
export function digestOf(bytes: Buffer): string {
  return hash('sha1', bytes, 'base64url');
}

export const replyForm: CachedForm<CachedReply> = {
  encode: ({ bytes }) => bytes.toBuffer(),
  decode: cachedReply,
  sizeOf: ({ bytes }) => bytes.latin1.length,
};
