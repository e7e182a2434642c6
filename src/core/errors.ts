/** The kind of an error. HTTP maps the kind to a status, in one place. */
export type ErrorKind =
  | 'invalid' // 400
  | 'unauthenticated' // 401
  | 'forbidden' // 403
  | 'notFound' // 404
  | 'methodNotAllowed' // 405
  | 'notAcceptable' // 406
  | 'conflict' // 409
  | 'gone' // 410
  | 'preconditionFailed' // 412
  | 'tooLarge' // 413
  | 'unsupportedMedia' // 415
  | 'unprocessable' // 422
  | 'locked' // 423
  | 'rateLimited' // 429
  | 'checksumMismatch' // 460, of tus
  | 'unavailable'; // 503

export interface FieldMessage {
  readonly path: string;
  readonly message: string;
}

export interface DomainErrorDetails {
  readonly fields?: readonly FieldMessage[];
  /** Seconds after which the caller should try again (`Retry-After`). */
  readonly retryAfter?: number;
  readonly cause?: unknown;
}

/**
 * An error whose message is for the caller: it says what to do. Any other error is answered with 500 and a general
 * message.
 */
export class DomainError extends Error {
  readonly kind: ErrorKind;
  /** In snake_case. Part of the API, so it never changes. */
  readonly code: string;
  readonly fields: readonly FieldMessage[];
  readonly retryAfter: number | undefined;

  constructor(kind: ErrorKind, code: string, message: string, details: DomainErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.name = 'DomainError';
    this.kind = kind;
    this.code = code;
    this.fields = details.fields ?? [];
    this.retryAfter = details.retryAfter;
  }
}

/**
 * The error for fields of a request that break their rules. Many clients show only `message`, so it is that of the
 * first field.
 * @param fields not empty; each message is complete and begins with the field's name: "title must contain a visible
 * character".
 */
export function validationFailed(fields: readonly FieldMessage[]): DomainError {
  return new DomainError('invalid', 'validation_failed', fields[0]!.message, { fields });
}
