import cors, { type CorsOptions } from 'cors';
import type { RequestHandler } from 'express';

/**
 * `default`: pages on this machine may send cookies, others may read without them. A list: these may send cookies,
 * others get nothing.
 */
export type AllowedOrigins = 'default' | readonly string[];

const LOCAL = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

const common: CorsOptions = {
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
  exposedHeaders: [
    'X-Request-Id', 'X-Event-Position', 'X-Projection-Behind', 'Idempotent-Replay', 'ETag', 'Location',
    'Retry-After', 'RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset',
  ],
  maxAge: 600,
};

export function corsPolicy(allowed: AllowedOrigins): RequestHandler {
  const withCookies = cors({ ...common, origin: true, credentials: true });
  const withoutCookies = cors({ ...common, origin: '*' });
  return (request, response, next) => {
    const { origin } = request.headers;
    if (origin === undefined) next();
    else if (allowed === 'default' ? LOCAL.test(origin) : allowed.includes(origin)) withCookies(request, response, next);
    else if (allowed === 'default') withoutCookies(request, response, next);
    else next();
  };
}
