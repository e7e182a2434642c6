import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';
import type { Appended } from '../core/appended.ts';
import type { CommandContext } from '../core/commandContext.ts';
import type { ProjectionName } from '../projecting/readYourWrites.ts';
import type { PreparedBytes } from './reply/preparedBytes.ts';

export type UserRole = 'user' | 'admin';

/** The group of the routes that every process has: health, metrics, documents. */
export const SYSTEM_TAG = 'System';

/** The user who sent a request, from the access token. */
export interface AuthenticatedUser {
  readonly id: string;
  readonly name: string;
  readonly username: string;
  readonly email: string;
  /** As it was when the token was issued: an admin whose role is revoked has it until the token expires. */
  readonly role: UserRole;
  /** Undefined for a token that does not name its session. */
  readonly session?: TokenSession | undefined;
}

/** The session that an access token was issued for. */
export interface TokenSession {
  readonly id: string;
  /** The user's number when the session was started: those under a lower number may have ended together. */
  readonly generation: number;
}

/** Whether a request needs an access token. `optional`: a token is used when there is a valid one. */
export type RouteAuth = 'none' | 'optional' | 'required';

interface UserOf {
  readonly none: undefined;
  readonly optional: AuthenticatedUser | undefined;
  readonly required: AuthenticatedUser;
}

/** The request as a route's handler gets it: checked and typed. */
export interface RouteRequest<Params, Query, Body, Auth extends RouteAuth = RouteAuth> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly user: UserOf[Auth];
  /** For commands: correlation id, actor, trace, idempotency key, time of the request. */
  readonly context: CommandContext;
  /** The client's address. */
  readonly address: string;
  /** From `X-Min-Position`. */
  readonly minPosition: bigint | undefined;
  /** Aborts when the client disconnects or the server drains. */
  readonly signal: AbortSignal;
  /** For everything else: multipart, cookies, conditional headers. */
  readonly raw: IncomingMessage;
  /** For streaming. A handler that writes the answer itself returns `undefined`. */
  readonly response: ServerResponse;
}

/** An answer in the envelope `{ success, statusCode, message, meta?, data }`. */
export interface EnvelopeReply {
  readonly status: number;
  readonly message: string;
  readonly data?: unknown;
  readonly meta?: object;
  /** A list becomes one header of that name per value. */
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /**
   * What a command appended. Its position becomes `X-Event-Position`, and the answer waits for the projections that
   * handle these events. If one does not catch up in time, the answer says `X-Projection-Behind: true`.
   */
  readonly appended?: Appended;
  /** Set by a handler that has waited itself: true when a read model does not show the command yet. */
  readonly behind?: boolean;
}

/** An answer that is already serialised, from the cache for example. With `etag`, `If-None-Match` works. */
export interface BytesReply {
  readonly status: number;
  readonly bytes: Buffer | PreparedBytes;
  readonly contentType: string;
  readonly etag?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Reply = EnvelopeReply | BytesReply;

export interface ResponseDescription {
  readonly description: string;
  /** The `message` of a success, for its example. */
  readonly message?: string;
  /** The `code` of a failure, for its example: the likeliest if there are several. */
  readonly code?: string;
  /** Schema of `data`. */
  readonly data?: z.ZodType;
  readonly meta?: z.ZodType;
  /** Headers that only this response has, with their descriptions. */
  readonly headers?: Readonly<Record<string, string>>;
  /** For a body without the envelope: its media type. `body` is its schema, for JSON. */
  readonly contentType?: string;
  readonly body?: z.ZodType;
  /** Other media types of the same answer, each with an example, that the client may choose with `Accept`. */
  readonly also?: Readonly<Record<string, string>>;
}

/** One operation of the API. The same schemas validate its requests and describe it in OpenAPI. */
export interface Route<Params = unknown, Query = unknown, Body = unknown, Auth extends RouteAuth = RouteAuth> {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** Express style: `/api/v1/video/:videoId`. */
  readonly path: string;
  readonly operationId: string;
  /** A few words in the imperative, without Markdown and without a full stop. */
  readonly summary: string;
  /** Sentences in Markdown: what it does, for whom, and what its schemas cannot express. */
  readonly description: string;
  /** Its group in the OpenAPI document. */
  readonly tag: string;
  readonly auth: Auth;
  /** Users without this role get 403 `admin_required`. Only together with `auth: 'required'`. */
  readonly role?: Auth extends 'required' ? 'admin' : never;
  /**
   * For queries: the projections that it reads. With `X-Min-Position` it waits until they have passed that position.
   */
  readonly reads?: readonly ProjectionName[];
  /** The limit that it counts against; `general` by default. Requests with a token also count against their address. */
  readonly limit?: 'general' | 'refresh' | 'upload' | 'report' | 'none';
  /** The key to count by when it is neither the user nor the address, such as a session. Undefined: the address. */
  limitBy?(request: IncomingMessage): string | undefined;
  readonly params?: z.ZodType<Params>;
  readonly query?: z.ZodType<Query>;
  /** JSON body. */
  readonly body?: z.ZodType<Body>;
  /** Form fields, for the OpenAPI document only: the handler reads the stream itself. */
  readonly multipart?: z.ZodType;
  /** Media type of a body of bytes, for the OpenAPI document only: the handler reads the stream itself. */
  readonly bytes?: string;
  /** Headers that only this route reads, for the OpenAPI document only. */
  readonly requestHeaders?: z.ZodType;
  /** Headers of the answer to `OPTIONS` at its path. */
  readonly options?: Readonly<Record<string, string>>;
  /**
   * Its answers carry an `ETag`, and it heeds `If-None-Match` (queries) or `If-Match` (commands). For the OpenAPI
   * document only.
   */
  readonly etag?: boolean;
  /** The cookie that it reads. It identifies the client under an `Idempotency-Key`. */
  readonly cookie?: string;
  /**
   * What happens to a second request with the same `Idempotency-Key`. `storedAnswer` (default): it gets the first
   * answer. `sameCommand`, for answers that hold secrets: the command runs again, finds its own events and answers the
   * same.
   */
  readonly repeat?: 'storedAnswer' | 'sameCommand';
  readonly responses: Readonly<Record<number, ResponseDescription>>;
  handle(request: RouteRequest<Params, Query, Body, Auth>): Promise<Reply | undefined>;
}

/** Gives the handler the types of its schemas. The result has no type parameters, so that routes fit into one list. */
export function route<Params, Query, Body, Auth extends RouteAuth>(
  definition: Route<Params, Query, Body, Auth>,
): Route {
  return definition as unknown as Route;
}
