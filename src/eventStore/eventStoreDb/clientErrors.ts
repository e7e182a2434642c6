import { ErrorType, isCommandError, WrongExpectedVersionError } from '@eventstore/db-client';
import { AppendRefused, EventStoreUnavailable } from '../../core/eventStore.ts';

/** Ours, for calls that their own deadline did not end. */
export class NoAnswer extends Error {
  constructor(what: string, ms: number) {
    super(`${what} had no answer within ${ms} ms`);
    this.name = 'NoAnswer';
  }
}

/** The connection that a call used was given up because it was silent. The same call may be made again at once. */
export class ConnectionReplaced extends Error {
  constructor() {
    super('the connection had no answers and was replaced');
    this.name = 'ConnectionReplaced';
  }
}

/** What we ask is not allowed to the user of EVENTSTORE_URL, or there is no such user. It will not be allowed later either. */
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

/** gRPC status codes: cancelled, unknown, deadline exceeded, resource exhausted (too many calls), aborted, internal (a stream reset), unavailable. */
const transientCodes = new Set<unknown>([1, 2, 4, 8, 10, 13, 14]);

/** The gRPC status code for an append that the server will never take. */
const INVALID_ARGUMENT = 3;

/**
 * Whether the same call may work later: the server was away, busy, or not the leader. The client types some of its
 * errors and hands on others raw from gRPC (a refused connection among them), hence the two ways to look.
 * After such an error it is not known whether the call took effect.
 */
export function isTransient(error: unknown): boolean {
  if (error instanceof NoAnswer || error instanceof ConnectionReplaced) return true;
  if (!(error instanceof Error)) return false;
  if (isCommandError(error) && error.type !== ErrorType.UNKNOWN) return transientTypes.has(error.type);
  const { code } = error as { code?: unknown };
  if (code !== undefined) return transientCodes.has(code);
  return error.message.startsWith('Failed to discover');
}

/** An append that the server will never take, other than those that the client knows (`asPortError`). It says why in the cause's message. */
export function refusalIn(error: unknown, stream: string): AppendRefused | undefined {
  if (!(error instanceof Error) || !isCommandError(error) || error.type !== ErrorType.UNKNOWN) return undefined;
  if ((error as { code?: unknown }).code !== INVALID_ARGUMENT) return undefined;
  return new AppendRefused(`EventStoreDB refused an append to ${kindOf(stream)} as it is: ${error.message}`, {
    cause: error,
  });
}

/** Whether the server said nothing at all until the time limit. */
export function isSilence(error: unknown): boolean {
  return (
    error instanceof NoAnswer ||
    (error instanceof Error && isCommandError(error) && error.type === ErrorType.DEADLINE_EXCEEDED)
  );
}

export function isWrongExpectedVersion(error: unknown): boolean {
  return error instanceof WrongExpectedVersionError;
}

/** What a caller of the port is told. */
export function asPortError(error: unknown, what: string): unknown {
  if (isTransient(error))
    return new EventStoreUnavailable(`EventStoreDB is not available: ${what} failed`, { cause: error });
  if (!(error instanceof Error) || !isCommandError(error)) return error;
  if (error.type === ErrorType.MAXIMUM_APPEND_SIZE_EXCEEDED) {
    return new AppendRefused(`${what}: more than the server's limit of ${error.maxAppendSize} bytes for one append`, {
      cause: error,
    });
  }
  if (error.type === ErrorType.STREAM_DELETED)
    return new AppendRefused(`${what}: somebody has deleted the stream for good`, { cause: error });
  if (error.type === ErrorType.ACCESS_DENIED) return new EventStoreDenied(what, { cause: error });
  return error;
}

/** What may be said of a stream where anyone can read it: names of streams can be names of people. */
export function kindOf(stream: string): string {
  return `a stream of ${stream.split('-', 1)[0]}`;
}
