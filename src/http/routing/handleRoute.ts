import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { parse } from 'node:querystring';
import type { CommandContext } from '../../core/commandContext.ts';
import { DomainError } from '../../core/errors.ts';
import type { ReadYourWrites } from '../../projecting/readYourWrites.ts';
import { addressKey } from '../../rateLimits/addressKey.ts';
import type { RateLimitGroup, RateLimits, RateLimitState } from '../../rateLimits/rateLimits.ts';
import { tooMany } from '../../rateLimits/tooMany.ts';
import type { Tracing } from '../../telemetry/tracing.ts';
import { traceIdOf, validTraceparent } from '../../telemetry/traceparent.ts';
import { answerOf, send, type Answer } from '../reply/answer.ts';
import type { Authenticator } from '../request/authenticator.ts';
import type { ClientAddress } from '../request/clientAddress.ts';
import { commonHeadersOf } from '../reply/commonHeaders.ts';
import { readCookie } from '../request/cookies.ts';
import { errorAnswer } from '../reply/errorReply.ts';
import { notesOf, requestIdOf } from './exchange.ts';
import { parseIdempotencyKey, type Attempt, type Idempotency } from '../consistency/idempotency.ts';
import { readJsonBody } from '../request/jsonBody.ts';
import type { KnownPositions } from '../consistency/knownPositions.ts';
import { parseMinPosition } from '../consistency/minPosition.ts';
import { ReceivedRequest } from './receivedRequest.ts';
import { SYSTEM_TAG, type AuthenticatedUser, type EnvelopeReply, type Reply, type Route } from '../route.ts';
import { createUrlCheck, validate, type RequestParts } from '../request/validate.ts';

export interface RouteDependencies {
  readonly authenticator: Authenticator;
  readonly rateLimits: RateLimits;
  /** The address of a request's client. */
  readonly addressOf: ClientAddress;
  readonly idempotency: Idempotency | undefined;
  readonly tracing: Tracing;
  /** Warns about a proxy that is not trusted. */
  readonly noticeProxy: (request: IncomingMessage) => void;
  /** Without it, positions in `X-Min-Position` are not checked. */
  readonly positions: KnownPositions | undefined;
  /** Without it, no request waits for a read model. */
  readonly readModels: ReadYourWrites | undefined;
  /** Aborts when the server drains. */
  readonly draining: AbortSignal;
}

/** A request that a door has found the route of. */
export interface Arrival {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The parameters in its path, decoded. */
  readonly params: unknown;
}

/** Answers a request. Rejects with the error that its answer must be made of. */
export type RouteHandler = (arrival: Arrival) => Promise<void>;

/** A handler for each route, the same for both doors. */
export type RouteHandlers = ReadonlyMap<Route, RouteHandler>;

export function handlersOf(routes: readonly Route[], dependencies: RouteDependencies): RouteHandlers {
  return new Map(routes.map((route) => [route, handlerOf(route, dependencies)]));
}

/** Everything between a door and a route's `handle`: authentication, rate limits, validation, idempotency. */
function handlerOf(route: Route, dependencies: RouteDependencies): RouteHandler {
  const name = `${route.method.toUpperCase()} ${route.path}`;
  const attributes = { 'http.request.method': route.method.toUpperCase(), 'http.route': route.path };
  const { tracing } = dependencies;
  const facts = { route, checkUrl: createUrlCheck(route), ...dependencies };
  const answer = (arrival: Arrival): Promise<void> => answerTo(arrival, facts);
  // Health checks and scrapes of metrics would be most of all traces.
  if (!tracing.enabled || route.tag === SYSTEM_TAG) return answer;
  return (arrival) => {
    const traced = { traceparent: traceparentOf(arrival.request), response: arrival.response };
    return tracing.request(name, { kind: 'server', attributes }, traced, () => answer(arrival));
  };
}

interface RouteFacts extends RouteDependencies {
  readonly route: Route;
  readonly checkUrl: ReturnType<typeof createUrlCheck>;
}

async function answerTo(arrival: Arrival, dependencies: RouteFacts): Promise<void> {
  const { request, response } = arrival;
  const { route } = dependencies;
  const notes = notesOf(response);
  notes.route = route.path;
  const given = traceparentOf(request);
  // Without a header nothing is awaited: this is the path of most requests, where each turn of the event loop counts.
  const traceparent =
    dependencies.tracing.traceparent() ?? (given === undefined ? undefined : await validTraceparent(given));
  notes.traceId = traceparent && traceIdOf(traceparent);
  const address = dependencies.addressOf(request) ?? 'unknown';
  dependencies.noticeProxy(request);
  const { user, refusal } = route.auth === 'none' ? NOBODY : await identify(route, dependencies.authenticator, request);
  notes.userId = user?.id;
  // Counted before it is refused, so that guessing tokens is limited too.
  const caller = user === undefined ? route.limitBy?.(request) : `user:${user.id}`;
  const group = route.limit ?? 'general';
  const counted = group === 'none' ? undefined : await count(dependencies.rateLimits, group, caller, address);
  if (counted !== undefined) applyLimit(counted, response);
  if (refusal !== undefined) throw refusal;

  const parts =
    route.body === undefined ? checkedUrl(arrival, dependencies) : await checkedRequest(arrival, dependencies);
  const isCommand = route.method !== 'get';
  const key = isCommand ? parseIdempotencyKey(request.headers['idempotency-key']) : undefined;
  const fingerprint =
    key === undefined ? undefined : dependencies.idempotency?.fingerprint({ request, body: parts.body });

  const context: CommandContext = {
    correlationId: requestIdOf(response),
    now: new Date(),
    actor: user?.id,
    traceparent,
    // Includes the request, so that a key used for two requests never takes one for the other.
    idempotencyKey: fingerprint && `${key} ${fingerprint}`,
  };
  const checked: CheckedRequest = { arrival, parts, user, context, address };
  const answer =
    key === undefined || fingerprint === undefined || dependencies.idempotency === undefined
      ? await handled(checked, dependencies)
      : await handledOnce(checked, { key, fingerprint }, dependencies.idempotency, dependencies);
  if (answer !== undefined) send(request, response, answer);
}

interface CheckedRequest {
  readonly arrival: Arrival;
  readonly parts: RequestParts;
  readonly user: AuthenticatedUser | undefined;
  readonly context: CommandContext;
  readonly address: string;
}

/** What the route answers. Each object here is written out: spreads and closures took a twentieth of a cached page. */
async function handled(
  { arrival: { request, response }, parts: { params, query, body }, user, context, address }: CheckedRequest,
  { route, positions, readModels, draining }: RouteFacts,
): Promise<Answer | undefined> {
  const minPosition = parseMinPosition(request.headers['x-min-position']);
  // Commands do not read projections.
  if (minPosition !== undefined && route.method === 'get') await positions?.check(minPosition);
  const received = new ReceivedRequest(
    { params, query, body, user, context, address, minPosition, raw: request, response },
    draining,
  );
  if (minPosition !== undefined && route.reads !== undefined) {
    await readModels?.untilFresh(route.reads, { minPosition, signal: received.signal });
  }
  const reply = await route.handle(received);
  if (reply === undefined) return undefined;
  return answerOf(isToWait(reply) ? await withShown(reply, readModels, received) : reply);
}

/** The answer to a command with an `Idempotency-Key`. */
function handledOnce(
  checked: CheckedRequest,
  identity: Pick<Attempt, 'key' | 'fingerprint'>,
  idempotency: Idempotency,
  dependencies: RouteFacts,
): Promise<Answer | undefined> {
  const { arrival, user, address } = checked;
  const { request, response } = arrival;
  const { route } = dependencies;
  const attempt = {
    ...identity,
    actor: user?.id ?? cookieHolder(route, request) ?? address,
    keepSuccess: route.repeat !== 'sameCommand',
  };
  return idempotency.once(attempt, async () => {
    try {
      return await handled(checked, dependencies);
    } catch (error) {
      // A refusal is an answer like any other, and is given again; a fault goes its usual way and is forgotten.
      const answer = errorAnswer(error, {
        requestId: requestIdOf(response),
        conditional: request.headers['if-match'] !== undefined,
      });
      if (answer.status >= 500 || response.headersSent) throw error;
      return answer;
    }
  });
}

/** Of a request to a route without a body. */
function checkedUrl({ request: { url = '' }, params }: Arrival, { checkUrl }: RouteFacts): RequestParts {
  return checkUrl(url, () => ({ params, query: queryIn(url), body: undefined }));
}

/** What is not in a schema is no part of the request, and may be deeper than a fingerprint of it can go. */
async function checkedRequest({ request, response, params }: Arrival, { route }: RouteFacts): Promise<RequestParts> {
  const body = await readJsonBody(request, response);
  return validate(route, { params, query: queryIn(request.url ?? ''), body });
}

function queryIn(url: string): unknown {
  return parse(/^[^?#]*\?([^#]*)/.exec(url)?.[1] ?? '');
}

type CommandReply = EnvelopeReply & Required<Pick<EnvelopeReply, 'appended'>>;

/** Whether it is the answer to a command whose handler has not waited for the read models itself. */
function isToWait(reply: Reply): reply is CommandReply {
  return !('bytes' in reply) && reply.appended !== undefined && reply.behind === undefined;
}

/** Says of a command's answer whether the read models show the command, after waiting for them. */
async function withShown(
  reply: CommandReply,
  readModels: ReadYourWrites | undefined,
  request: ReceivedRequest,
): Promise<Reply> {
  const shown = (await readModels?.isShown(reply.appended, { signal: request.signal })) ?? true;
  return { ...reply, behind: !shown };
}

/** The holder of the cookie that a route reads. A refusal of one cookie must not be repeated for another from the same address. */
function cookieHolder({ cookie }: Route, request: IncomingMessage): string | undefined {
  const value = cookie === undefined ? undefined : readCookie(request, cookie);
  return value && `cookie:${createHash('sha256').update(value).digest('base64url')}`;
}

interface Identified {
  readonly user?: AuthenticatedUser | undefined;
  readonly refusal?: unknown;
}

const NOBODY: Identified = {};

/** An expired or invalid token on a route that needs none is as good as no token: clients of the original server send stale ones to public pages. */
async function identify(
  { auth, role }: Route,
  authenticator: Authenticator,
  request: IncomingMessage,
): Promise<Identified> {
  try {
    const user = await authenticator.authenticate(request);
    if (user !== undefined && role === 'admin' && user.role !== 'admin') return { user, refusal: adminRequired() };
    if (user !== undefined || auth === 'optional') return { user };
    return {
      refusal: new DomainError(
        'unauthenticated',
        'authentication_required',
        'Log in first: send the access token as "Authorization: Bearer …".',
      ),
    };
  } catch (error) {
    return auth === 'optional' && error instanceof DomainError ? {} : { refusal: error };
  }
}

function adminRequired(): DomainError {
  return new DomainError(
    'forbidden',
    'admin_required',
    'This needs the role admin. The operator of the server grants it with "reelstream admins grant <e-mail>"; then log in again or refresh the token.',
  );
}

/** Counts a request against its caller and, where that is not an address, also against the address. */
function count(
  rateLimits: RateLimits,
  group: RateLimitGroup,
  caller: string | undefined,
  address: string,
): Promise<RateLimitState | undefined> {
  const byAddress = addressKey(address);
  return caller === undefined ? rateLimits.consume(group, byAddress) : countBoth(rateLimits, group, caller, byAddress);
}

async function countBoth(
  rateLimits: RateLimits,
  group: RateLimitGroup,
  caller: string,
  byAddress: string,
): Promise<RateLimitState | undefined> {
  const own = await rateLimits.consume(group, caller);
  // A caller who is over the limit must not use up what all others behind the address have.
  if (own?.allowed === false) return own;
  const shared = await rateLimits.consume('address', byAddress);
  return shared === undefined ? own : nearest([own, shared]);
}

/** Tells the client what is left. @throws DomainError `rate_limited` */
function applyLimit(state: RateLimitState, response: ServerResponse): void {
  const headers = commonHeadersOf(response);
  headers['RateLimit-Limit'] = String(state.limit);
  headers['RateLimit-Remaining'] = String(state.remaining);
  headers['RateLimit-Reset'] = String(state.resetSeconds);
  if (!state.allowed) throw tooMany('Too many requests', state);
}

/** The one that refuses, else the one of which the smallest share is left. */
function nearest(states: readonly (RateLimitState | undefined)[]): RateLimitState | undefined {
  const share = (state: RateLimitState): number => (state.allowed ? state.remaining / state.limit : -1);
  return states.reduce(
    (least, state) => (state !== undefined && (least === undefined || share(state) < share(least)) ? state : least),
    undefined,
  );
}

/** Node joins repeated headers of this name, so it is never an array. */
function traceparentOf(request: IncomingMessage): string | undefined {
  return request.headers['traceparent'] as string | undefined;
}
