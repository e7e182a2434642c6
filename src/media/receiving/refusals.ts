import { DomainError } from '../../core/errors.ts';
import type { UploadLimits } from '../limits.ts';

export function tooLarge(limits: UploadLimits): DomainError {
  return new DomainError(
    'tooLarge',
    'file_too_large',
    `The video is larger than ${Math.floor(limits.maxBytes / 1024 / 1024)} MB.`,
  );
}

/** With `retryAfter`, the refusal is not stored as the answer of an `Idempotency-Key`: the same request may succeed next time. */
export function stalled(milliseconds: number): DomainError {
  return new DomainError(
    'invalid',
    'upload_stalled',
    `The upload stopped in the middle: nothing came for ${milliseconds / 1_000} s. Send it again.`,
    { retryAfter: 1 },
  );
}

/** The client has closed the connection, so nobody reads this answer. `retryAfter` has the same purpose as above. */
export function aborted(): DomainError {
  return new DomainError(
    'invalid',
    'upload_aborted',
    'The connection was closed before the whole video had arrived. Send it again.',
    { retryAfter: 1 },
  );
}

export function badForm(message: string, cause?: unknown, path = 'video'): DomainError {
  return new DomainError('invalid', 'invalid_upload', message, { fields: [{ path, message }], cause });
}
