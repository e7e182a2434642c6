import { createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { DomainError } from '../../core/errors.ts';
import type { Answer } from '../reply/answer.ts';

/** One attempt at a command that its client may repeat. */
export interface Attempt {
  /** The user's id, or else the holder of a cookie, or else the client's address. */
  readonly actor: string;
  readonly key: string;
  /** Equal for two requests that ask for the same thing. */
  readonly fingerprint: string;
  /** Whether a success may be stored. An answer that holds secrets may not: a repeat runs the command again. */
  readonly keepSuccess: boolean;
}

export interface IdentifiedRequest {
  readonly request: IncomingMessage;
  /** As its route's schema lets it through. */
  readonly body: unknown;
}

export interface Idempotency {
  /** Identifies the request, apart from its key. It must not reveal the body, which may hold a password. */
  fingerprint(request: IdentifiedRequest): string;
  /**
   * Runs a command at most once at a time for its actor and key; a repeat gets the first answer. Only final answers are
   * kept: no 5xx and no answer with `Retry-After`. A process that dies holds its key for half a minute at most.
   * @throws DomainError `idempotency_key_reused`, `idempotency_in_progress`
   */
  once(attempt: Attempt, run: () => Promise<Answer | undefined>): Promise<Answer | undefined>;
}

/** Reads `Idempotency-Key`. @throws DomainError when it is not 1 to 255 visible characters. */
export function parseIdempotencyKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(header)) {
    throw new DomainError(
      'invalid',
      'invalid_idempotency_key',
      'Idempotency-Key must be 1 to 255 visible ASCII characters.',
    );
  }
  return header;
}

/** An HMAC of method, URL and JSON body. A multipart body is not included: it is not known when the request begins. */
export function fingerprintOf({ request, body }: IdentifiedRequest, secret: string): string {
  return createHmac('sha256', secret)
    .update(JSON.stringify([request.method, request.url, body ?? null]))
    .digest('base64url');
}

export function isFinal(answer: Answer): boolean {
  return answer.status < 500 && answer.headers['Retry-After'] === undefined;
}
