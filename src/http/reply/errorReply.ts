import { DomainError, type ErrorKind, type FieldMessage } from '../../core/errors.ts';
import { EventStoreUnavailable, RevisionConflict } from '../../core/eventStore.ts';
import { ObjectStoreUnavailable } from '../../objectStore/objectStore.ts';
import { isOutage } from '../../postgres/outage.ts';
import { projectionRebuilding } from '../../projecting/projectionRebuilding.ts';
import type { Answer } from './answer.ts';

/** The one place where an error becomes a status. */
const statusOf: Record<ErrorKind, number> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  notFound: 404,
  methodNotAllowed: 405,
  notAcceptable: 406,
  conflict: 409,
  gone: 410,
  preconditionFailed: 412,
  tooLarge: 413,
  unsupportedMedia: 415,
  unprocessable: 422,
  locked: 423,
  rateLimited: 429,
  checksumMismatch: 460,
  unavailable: 503,
};

/** PostgreSQL: undefined column, undefined table. */
const missingFromTables = new Set<unknown>(['42703', '42P01']);

/** What Express and its body parser throw (http-errors), by their `type`. */
const parserErrors: Record<string, [ErrorKind, string, string]> = {
  'request.aborted': ['invalid', 'request_aborted', 'The connection was closed before the whole body had arrived.'],
  'entity.parse.failed': ['invalid', 'malformed_json', 'The body is not valid JSON.'],
  'entity.too.large': ['tooLarge', 'body_too_large', 'The body is too large.'],
  'encoding.unsupported': ['unsupportedMedia', 'unsupported_encoding', 'This Content-Encoding is not supported.'],
  'charset.unsupported': ['unsupportedMedia', 'unsupported_charset', 'This charset is not supported; send UTF-8.'],
};

/** Codes that begin with E and are no outage: errors of the operating system that are not about a connection (ENOENT), and errors of Node (ERR_…). */
const NOT_A_CONNECTION = /^E(?!CONN|PIPE|TIMEDOUT|HOST|NET|NOTFOUND|AI_)/;

export interface ErrorFacts {
  readonly requestId: string;
  /** The client named the version that it wants to change (`If-Match`). */
  readonly conditional: boolean;
  /** The tables of a projection that are in place are not those that this program declares. */
  readonly rebuilding?: boolean;
}

export function errorAnswer(error: unknown, { requestId, ...facts }: ErrorFacts): Answer {
  const refusal = refusalOf(error, facts);
  if (refusal === undefined)
    return failure(500, 'internal_error', 'Something went wrong on our side.', [], {}, requestId);
  const headers: Record<string, string> = {};
  if (refusal.retryAfter !== undefined) headers['Retry-After'] = String(Math.max(1, Math.ceil(refusal.retryAfter)));
  if (refusal.kind === 'unauthenticated') headers['WWW-Authenticate'] = 'Bearer realm="reelstream"';
  return failure(statusOf[refusal.kind], refusal.code, refusal.message, refusal.fields, headers, requestId);
}

/** The error as a refusal that may be shown; undefined for a fault of the program. */
function refusalOf(
  error: unknown,
  { conditional, rebuilding = false }: Omit<ErrorFacts, 'requestId'>,
): DomainError | undefined {
  if (error instanceof DomainError) return error;
  if (error instanceof RevisionConflict) {
    return conditional
      ? new DomainError('preconditionFailed', 'precondition_failed', 'It has changed since you read it; read it again.')
      : new DomainError('conflict', 'conflict', 'Others are changing the same thing at this moment; try again.', {
          retryAfter: 1,
        });
  }
  if (error instanceof EventStoreUnavailable)
    return unavailable('event_store_unavailable', 'Changes cannot be recorded right now; try again shortly.');
  if (error instanceof ObjectStoreUnavailable)
    return unavailable(
      'object_store_unavailable',
      'Video files cannot be stored or read right now; try again shortly.',
    );
  if (!(error instanceof Error)) return undefined;
  if (error.name === 'AbortError') return unavailable('shutting_down', 'This server is stopping; try again.');
  const { type, status, code } = error as { type?: unknown; status?: unknown; code?: unknown };
  // Before outages: when a client disconnects, the parser reports the code of a lost connection (ECONNABORTED).
  const known = typeof type === 'string' ? parserErrors[type] : undefined;
  if (known !== undefined) return new DomainError(...known);
  if (rebuilding && missingFromTables.has(code)) return projectionRebuilding();
  if (isOutage(error) && !NOT_A_CONNECTION.test(String(code)))
    return unavailable('database_unavailable', 'Data cannot be read right now; try again shortly.');
  if (status === 412)
    return new DomainError('preconditionFailed', 'precondition_failed', 'This is not the version that you named.');
  if (typeof status === 'number' && status >= 400 && status < 500)
    return new DomainError('invalid', 'bad_request', 'The request is malformed.');
  return undefined;
}

function unavailable(code: string, message: string): DomainError {
  return new DomainError('unavailable', code, message, { retryAfter: 1 });
}

function failure(
  status: number,
  code: string,
  message: string,
  errorMessages: readonly FieldMessage[],
  headers: Record<string, string>,
  requestId: string,
): Answer {
  return {
    status,
    headers: { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store', ...headers },
    body: failureBody(status, { code, message, errorMessages, requestId }),
  };
}

export interface FailureFacts {
  readonly code: string;
  readonly message: string;
  readonly errorMessages?: readonly FieldMessage[];
  readonly requestId: string;
}

/** The envelope of every failure. */
export function failureBody(status: number, { code, message, errorMessages = [], requestId }: FailureFacts): string {
  return JSON.stringify({ success: false, statusCode: status, message, code, errorMessages, requestId });
}
