import type { Request, Response } from 'express';
import type { z } from 'zod';
import type { Appended } from '../core/appended.ts';
import type { CommandContext } from '../core/commandContext.ts';
import type { ProjectionName } from '../projecting/readYourWrites.ts';

/** Who sent a request, as the access token says. */
export interface AuthenticatedUser {
  readonly id: string;
  readonly name: string;
  readonly username: string;
  readonly email: string;
}

/** Whether a request needs an access token. `optional`: a token is used when there is a valid one. */
export type RouteAuth = 'none' | 'optional' | 'required';

interface UserOf {
  readonly none: undefined;
  readonly optional: AuthenticatedUser | undefined;
  readonly required: AuthenticatedUser;
}

/** What a route's handler gets: everything checked and typed already. */
export interface RouteRequest<Params, Query, Body, Auth extends RouteAuth = RouteAuth> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly user: UserOf[Auth];
  /** Ready to hand to a command: correlation id, actor, trace, idempotency key, the moment the request came in. */
  readonly context: CommandContext;
  /** The client's address. */
  readonly address: string;
  /** From `X-Min-Position`. */
  readonly minPosition: bigint | undefined;
  /** Aborts when the client goes away or the server drains. */
  readonly signal: AbortSignal;
  /** For what has no place above (multipart, cookies, conditional headers). */
  readonly raw: Request;
  /** For what is streamed. A handler that answers by itself returns `undefined`. */
  readonly response: Response;
}

/** An answer in the envelope `{ success, statusCode, message, meta?, data }`. */
export interface EnvelopeReply {
  readonly status: number;
  readonly message: string;
  readonly data?: unknown;
  readonly meta?: object;
  /** A list becomes a header of that name for each of its values. */
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /**
   * What a command left in the log. Its position becomes `X-Event-Position`, and the answer waits for the read models
   * that show the command; if one does not in time, the answer says `X-Projection-Behind: true`.
   */
  readonly appended?: Appended;
  /** Given by a handler that has waited itself: whether a read model does not show the command yet. */
  readonly behind?: boolean;
}

/** An answer that is serialised already (the cache); `etag` makes `If-None-Match` work. */
export interface BytesReply {
  readonly status: number;
  readonly bytes: Buffer;
  readonly contentType: string;
  readonly etag?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Reply = EnvelopeReply | BytesReply;

export interface ResponseDescription {
  readonly description: string;
  /** The `message` of a success, for its example. */
  readonly message?: string;
  /** The `code` of a failure, for its example; of several codes the likeliest. */
  readonly code?: string;
  /** Schema of `data`. */
  readonly data?: z.ZodType;
  readonly meta?: z.ZodType;
  /** Headers beside those that every response has, with what they say. */
  readonly headers?: Readonly<Record<string, string>>;
  /** For what has no envelope: the media type, and for JSON the schema of all of it. */
  readonly contentType?: string;
  readonly body?: z.ZodType;
}

/** One operation of the API: what it accepts, what it answers, what it does. Requests are validated and OpenAPI generated from the same schemas. */
export interface Route<Params = unknown, Query = unknown, Body = unknown, Auth extends RouteAuth = RouteAuth> {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** Express style: `/api/v1/video/:videoId`. */
  readonly path: string;
  readonly operationId: string;
  /** A few words in the imperative, without Markdown and without a full stop. */
  readonly summary: string;
  /** Sentences, in Markdown: what it does, for whom, and what its schemas cannot say. */
  readonly description: string;
  /** The group that the document shows it in. */
  readonly tag: string;
  readonly auth: Auth;
  /** Of a query: the projections that it reads. With `X-Min-Position` it waits until they have passed that position. */
  readonly reads?: readonly ProjectionName[];
  /** Which limit it counts against; `general` by default. Requests with a token also count against their address. */
  readonly limit?: 'general' | 'refresh' | 'upload' | 'none';
  /** Whom the limit is for when it is neither a user nor an address, such as a session. Undefined: the address. */
  limitBy?(request: Request): string | undefined;
  readonly params?: z.ZodType<Params>;
  readonly query?: z.ZodType<Query>;
  /** JSON body. */
  readonly body?: z.ZodType<Body>;
  /** Form fields, for the document only: the handler reads the stream itself. */
  readonly multipart?: z.ZodType;
  /** Its answers carry an `ETag`, and it minds `If-None-Match` (queries) or `If-Match` (commands). For the document only. */
  readonly etag?: boolean;
  /** The cookie that it reads, and that tells one client from another. */
  readonly cookie?: string;
  /**
   * What a second request with the same `Idempotency-Key` gets: the stored first answer (default), or, where that holds
   * secrets, the command run again, which finds its own events and answers the same by itself.
   */
  readonly repeat?: 'storedAnswer' | 'sameCommand';
  readonly responses: Readonly<Record<number, ResponseDescription>>;
  handle(request: RouteRequest<Params, Query, Body, Auth>): Promise<Reply | undefined>;
}

/** Gives a handler the types of its schemas, and lets the route into a list with others. */
export function route<Params, Query, Body, Auth extends RouteAuth>(
  definition: Route<Params, Query, Body, Auth>,
): Route {
  return definition as unknown as Route;
}
