import { ErrorType, isCommandError, WrongExpectedVersionError } from '@eventstore/db-client';
import { AppendRefused, EventStoreUnavailable } from '../../core/eventStore.ts';

/** A call got no answer in time. Ours, for calls that their own deadline did not end. */
export class NoAnswer extends Error {
  constructor(what: string, ms: number) {
    super(`${what} got no answer within ${ms} ms`);
    this.name = 'NoAnswer';
  }
}

/** The connection of this call got no answers and was replaced. The call can be repeated at once. */
export class ConnectionReplaced extends Error {
  constructor() {
    super('the connection got no answers and was replaced');
    this.name = 'ConnectionReplaced';
  }
}

/** The user in EVENTSTORE_URL does not exist or lacks a permission. A retry cannot help. */
export class EventStoreDenied extends Error {
  constructor(what: string, options?: { cause?: unknown }) {
    super(
      `EventStoreDB denied ${what}. EVENTSTORE_URL must name a user who may write streams and read $all: ` +
        'one in the group $admins, or one whom the ACL in the metadata of the stream $all allows to read it.',
      options,
    );
    this.name = 'EventStoreDenied';
  }
}

const transientTypes = new Set<string>([
  ErrorType.TIMEOUT,
  ErrorType.DEADLINE_EXCEEDED,
  ErrorType.UNAVAILABLE,
  ErrorType.CANCELLED,
  ErrorType.NOT_LEADER,
]);

/**
 * gRPC status codes: cancelled, unknown, deadline exceeded, resource exhausted (too many calls), aborted, internal (a
 * stream reset), unavailable.
 */
const transientCodes = new Set<unknown>([1, 2, 4, 8, 10, 13, 14]);

/** The gRPC status code for an append that the server will never take. */
const INVALID_ARGUMENT = 3;

/**
 * Whether the same call may succeed later: the server was away, busy, or not the leader. It is then not known whether
 * the call took effect. The client gives some of its errors a type and passes others on from gRPC as they are (a
 * refused connection, for example), so both are checked.
 */
export function isTransient(error: unknown): boolean {
  if (error instanceof NoAnswer || error instanceof ConnectionReplaced) return true;
  if (!(error instanceof Error)) return false;
  if (isCommandError(error) && error.type !== ErrorType.UNKNOWN) return transientTypes.has(error.type);
  const { code } = error as { code?: unknown };
  if (code !== undefined) return transientCodes.has(code);
  return error.message.startsWith('Failed to discover');
}

/**
 * The refusal in an error that the client does not know: the server will never take this append. The message says why.
 */
export function refusalIn(error: unknown, stream: string): AppendRefused | undefined {
  if (!(error instanceof Error) || !isCommandError(error) || error.type !== ErrorType.UNKNOWN) return undefined;
  if ((error as { code?: unknown }).code !== INVALID_ARGUMENT) return undefined;
  return new AppendRefused(`EventStoreDB refused an append to ${categoryOf(stream)}: ${error.message}`, {
    cause: error,
  });
}

/** Whether the server sent nothing at all until the time limit. */
export function isSilence(error: unknown): boolean {
  return (
    error instanceof NoAnswer ||
    (error instanceof Error && isCommandError(error) && error.type === ErrorType.DEADLINE_EXCEEDED)
  );
}

export function isWrongExpectedVersion(error: unknown): boolean {
  return error instanceof WrongExpectedVersionError;
}

/** The error of the port (`EventStore`) for an error of the client. */
export function asPortError(error: unknown, what: string): unknown {
  if (isTransient(error))
    return new EventStoreUnavailable(`EventStoreDB is not available: ${what} failed`, { cause: error });
  if (!(error instanceof Error) || !isCommandError(error)) return error;
  if (error.type === ErrorType.MAXIMUM_APPEND_SIZE_EXCEEDED) {
    return new AppendRefused(`${what}: larger than the server's limit of ${error.maxAppendSize} bytes for one append`, {
      cause: error,
    });
  }
  if (error.type === ErrorType.STREAM_DELETED)
    return new AppendRefused(`${what}: the stream was deleted permanently`, { cause: error });
  if (error.type === ErrorType.ACCESS_DENIED) return new EventStoreDenied(what, { cause: error });
  return error;
}

/** What logs and messages may say of a stream. They never give its name, which can be the name of a person. */
export function categoryOf(stream: string): string {
  return `a stream of ${stream.split('-', 1)[0]}`;
}
