import { timingSafeEqual } from 'node:crypto';
import { DomainError } from '../../../core/errors.ts';

/** Names as in tus. OpenSSL calls them the same. */
export const CHECKSUM_ALGORITHMS = ['sha1', 'sha256', 'md5'] as const;

export interface Checksum {
  readonly algorithm: (typeof CHECKSUM_ALGORITHMS)[number];
  readonly digest: Buffer;
}

/** Reads `Upload-Checksum`: the algorithm, a space, and the digest in Base64. @throws DomainError `invalid_checksum` */
export function parseChecksum(header: string | undefined): Checksum | undefined {
  if (header === undefined) return undefined;
  const [name, text = '', ...rest] = header.trim().split(/ +/);
  const algorithm = CHECKSUM_ALGORITHMS.find((each) => each === name);
  if (algorithm === undefined || rest.length > 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) {
    throw new DomainError(
      'invalid',
      'invalid_checksum',
      `Upload-Checksum must be one of ${CHECKSUM_ALGORITHMS.join(', ')}, a space, and the digest in Base64.`,
    );
  }
  return { algorithm, digest: Buffer.from(text, 'base64') };
}

/** @throws DomainError `checksum_mismatch` */
export function compareDigests(expected: Checksum, found: Buffer): void {
  if (expected.digest.length === found.length && timingSafeEqual(expected.digest, found)) return;
  throw new DomainError(
    'checksumMismatch',
    'checksum_mismatch',
    'The bytes of this request do not have the digest in Upload-Checksum, and were discarded. Send them again.',
  );
}
