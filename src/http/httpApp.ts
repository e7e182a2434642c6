import express, { type Application, type ErrorRequestHandler, type RequestHandler, type Response } from 'express';
import type { Logger } from 'pino';
import { z } from 'zod';
import { DomainError } from '../core/errors.ts';
import type { ReadYourWrites } from '../projecting/readYourWrites.ts';
import { noRateLimits, type RateLimits } from '../rateLimits/rateLimits.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { noTracing, type Tracing } from '../telemetry/tracing.ts';
import { send } from './reply/answer.ts';
import type { Authenticator } from './request/authenticator.ts';
import { writeCommonHeaders } from './reply/commonHeaders.ts';
import { allowedOrigins, corsPolicy, type AllowedOrigins } from './reply/corsPolicy.ts';
import { docsHandler, type RealtimeDocs } from './documents/docs.ts';
import { errorAnswer } from './reply/errorReply.ts';
import { exchange, requestIdOf } from './routing/exchange.ts';
import type { Health } from './server/health.ts';
import type { Idempotency } from './consistency/idempotency.ts';
import type { KnownPositions } from './consistency/knownPositions.ts';
import { createMonitoringAccess, type MonitoringAccess } from './server/monitoringAccess.ts';
import { mountRoutes } from './routing/mountRoutes.ts';
import { openApiDocument } from './documents/openapi.ts';
import { route, type Route } from './route.ts';
import { securityHeaders } from './reply/securityHeaders.ts';
import { json, systemRoutes, type SystemRouteParts } from './server/systemRoutes.ts';
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
  /** Served as `/asyncapi.json` and `/docs/realtime`. */
  readonly realtime?: RealtimeDocs;
  /** Files that this process serves itself. */
  readonly media?: { readonly path: string; readonly handler: RequestHandler } | undefined;
}

/** The HTTP application: the API's routes, the system's routes, the documents of both, and 404 for everything else. */
export function createHttpApp(options: HttpAppOptions): Application {
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
  } = options;
  const { cors = allowedOrigins(['*'], { production }), monitoring = openMonitoring } = options;
  const app = bareApp(options);
  app.use(corsPolicy(cors));
  const routes = documentedRoutes(options.routes, {
    health,
    metrics,
    monitoring,
    realtime: options.realtime,
    tags: options.tags,
  });
  if (options.media !== undefined) app.use(options.media.path, options.media.handler);
  app.use('/docs', docsHandler(options.realtime));
  mountRoutes(app, routes, {
    authenticator,
    rateLimits,
    idempotency,
    tracing,
    positions,
    readModels,
    noticeProxy: warnOfUntrustedProxies(options.logger),
    draining: health.draining,
  });
  return closing(app, options.logger, options.rebuilding);
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
    homeRoute,
    ...channel,
    openApiRoute(() => openApiDocument(routes, tags)),
  ];
  return routes;
}

export type OpsAppOptions = Pick<HttpAppOptions, 'logger' | 'health' | 'metrics' | 'production' | 'monitoring'>;

const openMonitoring = createMonitoringAccess({ production: false, token: undefined });

/** What a process without an API serves on its port: health and metrics. */
export function createOpsApp({
  logger,
  health,
  metrics,
  production = false,
  monitoring = openMonitoring,
}: OpsAppOptions): Application {
  const app = bareApp({ logger, metrics, production });
  const authenticator: Authenticator = { authenticate: () => Promise.resolve(undefined) };
  mountRoutes(app, systemRoutes({ health, metrics, monitoring }), {
    authenticator,
    rateLimits: noRateLimits,
    idempotency: undefined,
    tracing: noTracing,
    positions: undefined,
    readModels: undefined,
    noticeProxy: () => undefined,
    draining: health.draining,
  });
  return closing(app, logger);
}

function bareApp({
  logger,
  metrics,
  trustProxy = false,
  production = false,
}: Pick<HttpAppOptions, 'logger' | 'metrics' | 'trustProxy' | 'production'>): Application {
  const app = express();
  app.disable('x-powered-by');
  // Handlers set the ETag where there is one. Express would hash every body, which costs more than most answers.
  app.disable('etag');
  app.set('trust proxy', trustProxy);
  writeCommonHeaders(app);
  app.use(exchange({ logger, metrics, headers: { ...securityHeaders({ production }), Vary: 'Origin' } }));
  return app;
}

function closing(app: Application, logger: Logger, rebuilding = (): boolean => false): Application {
  app.use(notFound);
  app.use(errorHandler(logger, rebuilding));
  return app;
}

const notFound: RequestHandler = () => {
  throw new DomainError('notFound', 'route_not_found', 'There is nothing at this address; /docs lists all addresses.');
};

function errorHandler(logger: Logger, rebuilding: () => boolean): ErrorRequestHandler {
  // Express knows an error handler by its four parameters.
  return (error: unknown, request, response, _next) => {
    const requestId = requestIdOf(response);
    const conditional = request.headers['if-match'] !== undefined;
    const answer = errorAnswer(error, { requestId, conditional, rebuilding: rebuilding() });
    if (answer.status >= 500 && !isAbandoned(error, response)) {
      logger[answer.status === 500 ? 'error' : 'warn']({ requestId, ...described(error) }, 'request failed');
    }
    // Part of the answer is sent already. Closing the connection tells the client that the answer is incomplete.
    if (response.headersSent) response.destroy();
    else send(request, response, answer);
  };
}

/** The handler stopped because the client had closed the connection. The request itself is logged, as 499. */
function isAbandoned(error: unknown, response: Response): boolean {
  return error instanceof Error && error.name === 'AbortError' && response.closed;
}

/** The code of a refusal is enough. Only an unexpected error, or the cause of a refusal, needs its stack. */
function described(error: unknown): object {
  if (!(error instanceof DomainError)) return { err: error };
  return { code: error.code, ...(error.cause !== undefined && { err: error.cause }) };
}

const greeting = z.object({
  success: z.literal(true),
  message: z.string().meta({ examples: ['ReelStream is running. See /docs.'] }),
});

const homeRoute = route({
  method: 'get',
  path: '/',
  operationId: 'getHome',
  summary: 'Say hello',
  description: 'Says that the server runs and where its documentation is.',
  tag: 'System',
  auth: 'none',
  limit: 'none',
  responses: { 200: { description: 'A greeting.', contentType: 'application/json', body: greeting } },
  handle: () => Promise.resolve(json(200, { success: true, message: 'ReelStream is running. See /docs.' })),
});

function openApiRoute(makeDocument: () => object): Route {
  let document: string | undefined;
  return route({
    method: 'get',
    path: '/openapi.json',
    operationId: 'getOpenApi',
    summary: 'Get this document',
    description: 'The OpenAPI document of this server. The page `/docs` shows it.',
    tag: 'System',
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
    tag: 'System',
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
