import type { IncomingMessage, ServerResponse } from 'node:http';
import cors, { type CorsOptions } from 'cors';

/** Which pages of other origins may call the API. Any other origin gets no CORS headers. */
export interface AllowedOrigins {
  /** Origins that may call with credentials (cookies). */
  readonly named: readonly string[];
  /** Pages on this machine may call with credentials, such as a web client under development. */
  readonly local: boolean;
  /** All others may call, without credentials. */
  readonly others: boolean;
}

const LOCAL = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

const common: CorsOptions = {
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
  exposedHeaders: [
    'X-Request-Id',
    'X-Event-Position',
    'X-Projection-Behind',
    'Idempotent-Replay',
    'ETag',
    'Content-Range',
    'Location',
    'Retry-After',
    'RateLimit-Limit',
    'RateLimit-Remaining',
    'RateLimit-Reset',
    'Tus-Resumable',
    'Tus-Version',
    'Upload-Offset',
    'Upload-Length',
    'Upload-Metadata',
    'Upload-Expires',
    'Upload-Video',
  ],
  maxAge: 600,
};

/** Reads `CORS_ORIGIN`, where `*` means all other origins. In production a local page is an origin like any other. */
export function allowedOrigins(
  origins: readonly string[],
  { production }: { readonly production: boolean },
): AllowedOrigins {
  const others = origins.includes('*');
  return { named: origins.filter((origin) => origin !== '*'), local: others && !production, others };
}

/** Answers a preflight, or adds headers and calls `next`. */
export type CorsPolicy = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

export function corsPolicy({ named, local, others }: AllowedOrigins): CorsPolicy {
  const withCookies = cors({ ...common, origin: true, credentials: true });
  const withoutCookies = cors({ ...common, origin: '*' });
  return (request, response, next) => {
    const { origin } = request.headers;
    if (origin === undefined) next();
    else if (named.includes(origin) || (local && LOCAL.test(origin))) withCookies(request, response, next);
    else if (others) withoutCookies(request, response, next);
    else next();
  };
}
