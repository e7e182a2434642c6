import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { DomainError } from '../../core/errors.ts';
import { notesOf, requestIdOf } from '../routing/exchange.ts';
import { send } from './answer.ts';
import { errorAnswer } from './errorReply.ts';

export interface ErrorResponderOptions {
  readonly logger: Logger;
  /** Whether a projection is being rebuilt: a column that only its new tables have is then no fault. Never by default. */
  readonly rebuilding?: (() => boolean) | undefined;
}

/** Answers a request with what an error means for its client. Logs faults. */
export type ErrorResponder = (error: unknown, request: IncomingMessage, response: ServerResponse) => void;

export function createErrorResponder({ logger, rebuilding = () => false }: ErrorResponderOptions): ErrorResponder {
  return (error, request, response) => {
    const requestId = requestIdOf(response);
    const conditional = request.headers['if-match'] !== undefined;
    const answer = errorAnswer(error, { requestId, conditional, rebuilding: rebuilding() });
    if (answer.status >= 500 && !isAbandoned(error, response)) {
      const { traceId } = notesOf(response);
      logger[answer.status === 500 ? 'error' : 'warn']({ requestId, traceId, ...described(error) }, 'request failed');
    }
    // Part of the answer is sent already. Closing the connection tells the client that the answer is incomplete.
    if (response.headersSent) response.destroy();
    else send(request, response, answer);
  };
}

/** The handler stopped because the client had closed the connection. The request itself is logged, as 499. */
function isAbandoned(error: unknown, response: ServerResponse): boolean {
  return error instanceof Error && error.name === 'AbortError' && response.closed;
}

/** The code of a refusal is enough. Only an unexpected error, or the cause of a refusal, needs its stack. */
function described(error: unknown): object {
  if (!(error instanceof DomainError)) return { err: error };
  return { code: error.code, ...(error.cause !== undefined && { err: error.cause }) };
}
