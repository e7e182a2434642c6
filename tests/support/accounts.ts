import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { nameHashOf, type NameHash } from '../../src/features/accounts/index.ts';
import { counted } from '../../src/features/analytics/index.ts';
import { eventTypes, readModelConsumers } from '../../src/features/index.ts';
import type { Tokens } from '../../src/features/sessions/tokens.ts';
import type { ApiContext, FeatureSettings } from '../../src/features/feature.ts';
import { createEventCodec } from '../../src/core/eventCodec.ts';
import { openPostgresUserKeys } from '../../src/postgres/postgresUserKeys.ts';
import { createDirectSource } from '../../src/delivery/direct/directSource.ts';
import type { EventStore } from '../../src/core/eventStore.ts';
import type { UserKeyStore } from '../../src/core/userKeys.ts';
import { createPostgresEventStore } from '../../src/eventStore/postgres/postgresEventStore.ts';
import { withCodec } from '../../src/eventStore/withCodec.ts';
import { createPostgresIdempotency } from '../../src/postgres/postgresIdempotency.ts';
import { createProgressTracker } from '../../src/projecting/progress/progressTracker.ts';
import { createProjector } from '../../src/projecting/projector.ts';
import { createRateLimits } from '../../src/rateLimits/createRateLimits.ts';
import type { RateLimit, RateLimitGroup } from '../../src/rateLimits/rateLimits.ts';
import { createTestDatabase } from './database.ts';
import { eventually } from './eventually.ts';
import { onlyLimiting } from './rateLimits.ts';
import { collectingLog } from './httpApp.ts';
import { startTestApi } from './testApi.ts';
import { fixedKeys } from '../../src/core/keyRing.ts';

/** Accounts and sessions over HTTP, on a real PostgreSQL, with the projections that they read from. */
export interface AccountsTest extends AsyncDisposable {
  readonly pool: pg.Pool;
  readonly db: ApiContext['db'];
  /** With decoded events. */
  readonly store: EventStore;
  /** With events as they are in the log. */
  readonly rawStore: EventStore;
  readonly keys: UserKeyStore;
  /** What the routes use. */
  readonly context: ApiContext;
  readonly nameHash: NameHash;
  readonly tokens: Tokens;
  /** The header `x-forwarded-for` sets the client's address. */
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answered>;
  get(path: string, headers?: Record<string, string>): Promise<Answered>;
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answered>;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: {
    message: string;
    code: string;
    data: Record<string, unknown>;
    meta?: Record<string, unknown>;
    errorMessages: { path: string; message: string }[];
  };
  /** The refresh token that the answer sets; undefined when it sets none. */
  readonly cookie: string | undefined;
}

export interface AccountsTestOptions {
  readonly settings?: Partial<FeatureSettings>;
  /** No limits by default. */
  readonly limits?: Partial<Record<RateLimitGroup, RateLimit>>;
}

export async function startAccountsTest({ settings, limits }: AccountsTestOptions = {}): Promise<AccountsTest> {
  const database = await createTestDatabase();
  const { pool } = database;
  const { logger } = collectingLog();
  const masterKey = randomBytes(32);
  const sealedStore = createPostgresEventStore({ pool, logger });
  const keys = await openPostgresUserKeys({ pool, masterKeys: fixedKeys(masterKey) });
  const codec = createEventCodec({ types: eventTypes, keys });
  const store = withCodec(sealedStore, codec);
  const source = createDirectSource({ store: sealedStore, logger });
  const progress = createProgressTracker();
  const consumers = readModelConsumers({ viewRule: counted }).filter(
    ({ name }) => name === 'accounts' || name === 'videos' || name === 'sessions',
  );
  const projector = createProjector({
    pool,
    store: sealedStore,
    decode: codec.decode,
    discarded: () => Promise.resolve(new Set()),
    source,
    consumers,
    logger,
    onMoved: progress.moved,
  });
  await projector.start();
  await eventually(() => Object.values(projector.states()).every((state) => state === 'running'), {
    what: 'the projections run',
  });

  const idempotency = createPostgresIdempotency({ pool, secret: 'only for fingerprints', logger });
  const rateLimits = createRateLimits({ enabled: limits !== undefined, limits: onlyLimiting(limits ?? {}) });
  const api = await startTestApi({
    pool,
    store,
    rawStore: sealedStore,
    codec,
    progress,
    names: keys.names,
    deviceKeys: fixedKeys(masterKey),
    settings,
    rateLimits,
    http: { idempotency, trustProxy: 'loopback' },
  });
  const { app } = api;
  const { tokens, db } = api.context;
  const nameHash = nameHashOf(api.context);

  async function call(path: string, init: RequestInit): Promise<Answered> {
    const response = await fetch(app.url + path, init);
    const setCookie = response.headers.getSetCookie().find((each) => each.startsWith('refreshToken='));
    return {
      status: response.status,
      headers: response.headers,
      body: (response.status === 204 ? {} : await response.json()) as Answered['body'],
      cookie: setCookie === undefined ? undefined : /^refreshToken=([^;]*)/.exec(setCookie)?.[1],
    };
  }

  function send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answered> {
    return call(path, {
      method,
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }

  return {
    pool,
    db,
    store,
    rawStore: sealedStore,
    keys,
    context: api.context,
    nameHash,
    tokens,
    get: (path, headers = {}) => call(path, { headers }),
    post: (path, body, headers) => send('POST', path, body, headers),
    send,
    async [Symbol.asyncDispose]() {
      await api[Symbol.asyncDispose]();
      idempotency.close();
      await projector.stop();
      await source.close();
      await store.close();
      await database[Symbol.asyncDispose]();
    },
  };
}
