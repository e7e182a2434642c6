import type { RequestListener } from 'node:http';
import express, { type Application, type ErrorRequestHandler, type RequestHandler } from 'express';
import type { Logger } from 'pino';
import { z } from 'zod';
import { DomainError } from '../core/errors.ts';
import type { ReadYourWrites } from '../projecting/readYourWrites.ts';
import { noRateLimits, type RateLimits } from '../rateLimits/rateLimits.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { noTracing, type Tracing } from '../telemetry/tracing.ts';
import type { Authenticator } from './request/authenticator.ts';
import { allowedOrigins, corsPolicy, type AllowedOrigins, type CorsPolicy } from './reply/corsPolicy.ts';
import { docsHandler, type RealtimeDocs } from './documents/docs.ts';
import { createErrorResponder } from './reply/errorResponder.ts';
import { createClientAddress, createProxyTrust } from './request/clientAddress.ts';
import { exchange, notesOf } from './routing/exchange.ts';
import { createFrontDoor } from './routing/frontDoor.ts';
import { handlersOf, type RouteHandlers } from './routing/handleRoute.ts';
import type { Health } from './server/health.ts';
import type { Idempotency } from './consistency/idempotency.ts';
import type { KnownPositions } from './consistency/knownPositions.ts';
import { createMonitoringAccess, type MonitoringAccess } from './server/monitoringAccess.ts';
import { mountRoutes } from './routing/mountRoutes.ts';
import { openApiDocument } from './documents/openapi.ts';
import { route, SYSTEM_TAG, type Route } from './route.ts';
import { securityHeaders } from './reply/securityHeaders.ts';
import { systemRoutes, type SystemRouteParts } from './server/systemRoutes.ts';
import { webPage, type WebPageOptions } from './server/webPage.ts';
import { warnOfUntrustedProxies } from './request/untrustedProxy.ts';

export interface HttpAppOptions {
  readonly routes: readonly Route[];
  /** A sentence about each group of routes, for the OpenAPI document. */
  readonly tags?: Readonly<Record<string, string>>;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly authenticator: Authenticator;
  readonly rateLimits?: RateLimits;
  /** Without it, `Idempotency-Key` has no effect. */
  readonly idempotency?: Idempotency;
  readonly tracing?: Tracing;
  readonly positions?: KnownPositions;
  /** Without it, no request waits for a read model. */
  readonly readModels?: ReadYourWrites;
  /** Whether a projection is being rebuilt: a column that only its new tables have is then no fault. Never by default. */
  readonly rebuilding?: () => boolean;
  /** By default as without `CORS_ORIGIN`. */
  readonly cors?: AllowedOrigins;
  /** `NODE_ENV=production`; false by default. */
  readonly production?: boolean;
  /** Who may read the metrics and the details of `/health`; everybody by default. */
  readonly monitoring?: MonitoringAccess;
  /** Express's `trust proxy`: the proxies that may name a client's address; none by default. */
  readonly trustProxy?: boolean | number | string;
  /** False: Express answers every request. A test compares the two. True by default. */
  readonly frontDoor?: boolean;
  /** Served as `/asyncapi.json` and `/docs/realtime`. */
  readonly realtime?: RealtimeDocs;
  /** Files that this process serves itself. */
  readonly media?: { readonly path: string; readonly handler: RequestHandler } | undefined;
  /** The page at `/`. */
  readonly web?: WebPageOptions;
}

/**
 * The HTTP application: the API's routes, the system's routes, the documents of both, the page at `/`, and 404 for everything else. Each
 * request begins with the exchange and the CORS policy. Then the front door answers it if it can, else Express does.
 */
export function createHttpApp(options: HttpAppOptions): RequestListener {
  const {
    health,
    metrics,
    authenticator,
    rateLimits = noRateLimits,
    idempotency,
    tracing = noTracing,
    positions,
    readModels,
    production = false,
    trustProxy = false,
  } = options;
  const { cors = allowedOrigins(['*'], { production }), monitoring = openMonitoring } = options;
  const routes = documentedRoutes(options.routes, {
    health,
    metrics,
    monitoring,
    realtime: options.realtime,
    tags: options.tags,
  });
  const handlers = handlersOf(routes, {
    authenticator,
    rateLimits,
    addressOf: createClientAddress(trustProxy),
    idempotency,
    tracing,
    positions,
    readModels,
    noticeProxy: warnOfUntrustedProxies(options.logger, createProxyTrust(trustProxy)),
    draining: health.draining,
  });
  const app = bareApp();
  if (options.media !== undefined) app.use(options.media.path, servedBy(options.media.path), options.media.handler);
  app.use('/docs', servedBy('/docs'), docsHandler(options.realtime));
  if (options.web !== undefined) app.use(servedBy('page'), webPage(options.web));
  return listener(app, handlers, { ...options, policy: corsPolicy(cors) });
}

export interface DocumentedParts extends SystemRouteParts {
  readonly realtime: Pick<RealtimeDocs, 'document'> | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

/** Adds the routes that every API has. The last of them answers with the OpenAPI document of all. */
export function documentedRoutes(api: readonly Route[], { realtime, tags, ...parts }: DocumentedParts): Route[] {
  const channel = realtime === undefined ? [] : [asyncApiRoute(realtime.document)];
  const routes: Route[] = [
    ...api,
    ...systemRoutes(parts),
    ...channel,
    openApiRoute(() => openApiDocument(routes, tags)),
  ];
  return routes;
}

export type OpsAppOptions = Pick<HttpAppOptions, 'logger' | 'health' | 'metrics' | 'production' | 'monitoring'>;

const openMonitoring = createMonitoringAccess({ production: false, token: undefined });

/** What a process without an API serves on its port: health and metrics. */
export function createOpsApp(options: OpsAppOptions): RequestListener {
  const { health, metrics, monitoring = openMonitoring } = options;
  const handlers = handlersOf(systemRoutes({ health, metrics, monitoring }), {
    authenticator: { authenticate: () => Promise.resolve(undefined) },
    rateLimits: noRateLimits,
    addressOf: () => undefined,
    idempotency: undefined,
    tracing: noTracing,
    positions: undefined,
    readModels: undefined,
    noticeProxy: () => undefined,
    draining: health.draining,
  });
  return listener(bareApp(), handlers, { ...options, policy: (_request, _response, next) => next() });
}

function bareApp(): Application {
  const app = express();
  app.disable('x-powered-by');
  // Handlers set the ETag where there is one. Express would hash every body, which costs more than most answers.
  app.disable('etag');
  return app;
}

type ListenerOptions = Pick<
  HttpAppOptions,
  'logger' | 'metrics' | 'health' | 'production' | 'rebuilding' | 'frontDoor'
> & { readonly policy: CorsPolicy };

/** Both doors: the front door for these handlers, and Express for these handlers and everything else. */
function listener(app: Application, handlers: RouteHandlers, options: ListenerOptions): RequestListener {
  const { logger, metrics, health, production = false, rebuilding, frontDoor = true, policy } = options;
  const headers = { ...securityHeaders({ production }), Vary: 'Origin' };
  const begin = exchange({ logger, metrics, headers, draining: health.draining });
  const answerError = createErrorResponder({ logger, rebuilding });
  const isAnswered = frontDoor ? createFrontDoor(handlers, answerError) : () => false;
  mountRoutes(app, handlers);
  app.use(notFound);
  // Express knows an error handler by its four parameters.
  const onError: ErrorRequestHandler = (error, request, response, _next) => answerError(error, request, response);
  app.use(onError);
  return (request, response) => {
    begin(request, response);
    try {
      policy(request, response, () => {
        if (!isAnswered(request, response)) app(request, response);
      });
    } catch (error) {
      answerError(error, request, response);
    }
  };
}

/** The metrics name a request that no route answers by the part of the server that does. */
const servedBy =
  (part: string): RequestHandler =>
  (_request, response, next) => {
    notesOf(response).part = part;
    next();
  };

const notFound: RequestHandler = (_request, response) => {
  notesOf(response).part = undefined;
  throw new DomainError('notFound', 'route_not_found', 'There is nothing at this address; /docs lists all addresses.');
};

function openApiRoute(makeDocument: () => object): Route {
  let document: string | undefined;
  return route({
    method: 'get',
    path: '/openapi.json',
    operationId: 'getOpenApi',
    summary: 'Get this document',
    description: 'The OpenAPI document of this server. The page `/docs` shows it.',
    tag: SYSTEM_TAG,
    auth: 'none',
    limit: 'none',
    responses: {
      200: {
        description: 'OpenAPI 3.1.',
        contentType: 'application/json',
        body: z.record(z.string(), z.unknown()).meta({ examples: [{ openapi: '3.1.0' }] }),
      },
    },
    handle: () => {
      document ??= JSON.stringify(makeDocument());
      return Promise.resolve({
        status: 200,
        bytes: Buffer.from(document),
        contentType: 'application/json; charset=utf-8',
      });
    },
  });
}

function asyncApiRoute(document: object): Route {
  const bytes = Buffer.from(JSON.stringify(document));
  return route({
    method: 'get',
    path: '/asyncapi.json',
    operationId: 'getAsyncApi',
    summary: 'Get the AsyncAPI document',
    description: 'The document of the real-time channel (Socket.io). The page `/docs/realtime` shows it.',
    tag: SYSTEM_TAG,
    auth: 'none',
    limit: 'none',
    responses: {
      200: {
        description: 'AsyncAPI 3.0.',
        contentType: 'application/json',
        body: z.record(z.string(), z.unknown()).meta({ examples: [{ asyncapi: '3.0.0' }] }),
      },
    },
    handle: () => Promise.resolve({ status: 200, bytes, contentType: 'application/json; charset=utf-8' }),
  });
}
