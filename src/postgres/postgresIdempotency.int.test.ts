import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { v7 } from 'uuid';
import { z } from 'zod';
import { createTestDatabase, type TestDatabase } from '../../tests/support/database.ts';
import { eventually } from '../../tests/support/eventually.ts';
import { collectingLog, startTestApp, TEST_JWT_SECRET, type TestApp } from '../../tests/support/httpApp.ts';
import { startTcpProxy } from '../../tests/support/tcpProxy.ts';
import { createPool } from './pool.ts';
import { DomainError } from '../core/errors.ts';
import { createPostgresIdempotency } from './postgresIdempotency.ts';
import { route, type Reply, type Route } from '../http/route.ts';

/** How often each command ran, and what the next run does. */
let runs = 0;
let act: () => Promise<Reply | undefined>;

const common = {
  tag: 'System',
  auth: 'optional',
  description: '',
  body: z.object({ what: z.string() }),
  responses: {},
} as const;
const routes: Route[] = [
  route({
    ...common,
    method: 'post',
    path: '/stored',
    operationId: 'stored',
    summary: '',
    handle: ({ context }) => {
      runs += 1;
      keys.add(context.idempotencyKey);
      return act();
    },
  }),
  route({
    ...common,
    method: 'post',
    path: '/secret',
    operationId: 'secret',
    summary: '',
    repeat: 'sameCommand',
    handle: () => {
      runs += 1;
      return act();
    },
  }),
  route({
    ...common,
    method: 'post',
    path: '/streamed',
    operationId: 'streamed',
    summary: '',
    handle: ({ response }) => {
      runs += 1;
      response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
      return Promise.resolve(undefined);
    },
  }),
];

const keys = new Set<string | undefined>();
let database: TestDatabase;
let app: TestApp;
let closeIdempotency: () => void;

beforeAll(async () => {
  database = await createTestDatabase();
  const idempotency = createPostgresIdempotency({
    pool: database.pool,
    secret: 'for tests',
    logger: collectingLog().logger,
    holdMs: 4_000,
  });
  closeIdempotency = () => idempotency.close();
  app = await startTestApp({ routes, idempotency });
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  closeIdempotency();
  await database[Symbol.asyncDispose]();
});
beforeEach(() => {
  runs = 0;
  keys.clear();
  act = () =>
    Promise.resolve({
      status: 201,
      message: 'done',
      data: { run: runs },
      position: 5n,
      headers: { Location: '/there' },
    });
});

interface Sent {
  readonly status: number;
  readonly headers: Headers;
  readonly body: { code?: string; data?: unknown };
}

/** Sends a request that runs until `open` is called. Resolves when it is running. */
async function sendSlow(key: string): Promise<{ first: Promise<Sent>; open: () => void }> {
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  act = async () => {
    begun.resolve();
    await gate.promise;
    return { status: 200, message: 'slow' };
  };
  const first = send(key);
  await begun.promise;
  return { first, open: gate.resolve };
}

async function send(
  key: string | undefined,
  { path = '/stored', what = 'a', user }: { path?: string; what?: string; user?: string } = {},
): Promise<Sent> {
  const claims = { id: user, name: 'n', username: 'n', email: 'e' };
  const response = await fetch(app.url + path, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(key !== undefined && { 'idempotency-key': key }),
      ...(user !== undefined && { authorization: `Bearer ${jwt.sign(claims, TEST_JWT_SECRET)}` }),
    },
    body: JSON.stringify({ what }),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Sent['body'] };
}

describe('a command with an Idempotency-Key', () => {
  test('takes effect once and gets the same answer each time', async () => {
    const key = v7();
    const first = await send(key);
    const again = await send(key);
    expect(runs).toBe(1);
    expect([again.status, again.body]).toEqual([201, first.body]);
    for (const name of ['x-event-position', 'location', 'content-type', 'cache-control'])
      expect(again.headers.get(name)).toBe(first.headers.get(name));
    expect([first.headers.get('idempotent-replay'), again.headers.get('idempotent-replay')]).toEqual([null, 'true']);
    expect(again.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'));
  });

  test('runs each time with another key, or with none', async () => {
    await send(v7());
    await send(v7());
    await send(undefined);
    await send(undefined);
    expect(runs).toBe(4);
    expect(keys.size).toBe(3);
  });

  test('is refused when the key belongs to another request', async () => {
    const key = v7();
    await send(key, { what: 'a' });
    for (const other of [{ what: 'b' }, { path: '/secret' }, { path: '/stored?x=1' }]) {
      const { status, body } = await send(key, other);
      expect([status, body.code]).toEqual([422, 'idempotency_key_reused']);
    }
    expect(runs).toBe(1);
  });

  test('is distinguished from others by its content, however deeply nested its body is', async () => {
    const body = `{"what":"a","more":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;
    const { status } = await fetch(`${app.url}/stored`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': v7() },
      body,
    });
    expect([status, runs]).toEqual([201, 1]);
  });

  test('has a key that other users may use too', async () => {
    const key = v7();
    await send(key, { user: 'u1' });
    await send(key, { user: 'u2' });
    await send(key);
    expect(runs).toBe(3);
    await send(key, { user: 'u1' });
    expect(runs).toBe(3);
  });

  test('is refused while the first request is running', async () => {
    const key = v7();
    const { first, open } = await sendSlow(key);
    const others = await Promise.all(Array.from({ length: 20 }, () => send(key)));
    for (const { status, body, headers } of others)
      expect([status, body.code, headers.get('retry-after')]).toEqual([409, 'idempotency_in_progress', '1']);
    open();
    expect((await first).status).toBe(200);
    expect([(await send(key)).status, runs]).toEqual([200, 1]);
  });

  test('keeps its key for as long as it runs', async () => {
    const key = v7();
    const { first, open } = await sendSlow(key);
    const held = `select 1 from reelstream.idempotency where key = $1 and created_at < now() - interval '4.2 seconds' and held_until > now()`;
    await eventually(async () => (await database.pool.query(held, [key])).rowCount === 1, {
      what: 'the hold of the key has been renewed',
    });
    expect((await send(key)).body.code).toBe('idempotency_in_progress');
    open();
    expect([(await first).status, runs]).toEqual([200, 1]);
  });

  test('gets the same refusal each time', async () => {
    const key = v7();
    act = () => Promise.reject(new DomainError('conflict', 'taken', 'Taken.'));
    const first = await send(key);
    act = () => Promise.resolve({ status: 200, message: 'free now' });
    const again = await send(key);
    expect([first.status, again.status, again.body, runs]).toEqual([409, 409, first.body, 1]);
  });

  test.each([
    ['failed by a fault of ours', () => Promise.reject(new Error('broken')), 500],
    [
      'was told to come again',
      () => Promise.reject(new DomainError('conflict', 'conflict', 'Again.', { retryAfter: 1 })),
      409,
    ],
    ['was answered with 503', () => Promise.resolve({ status: 503, message: 'later' }), 503],
  ])('runs again after it %s', async (_what, first, status) => {
    const key = v7();
    act = first;
    expect((await send(key)).status).toBe(status);
    act = () => Promise.resolve({ status: 200, message: 'now' });
    expect([(await send(key)).status, (await send(key)).status, runs]).toEqual([200, 200, 2]);
    expect((await send(key, { what: 'other' })).status).toBe(422);
  });

  test('whose answer contains a secret runs again with the same derived key; only its refusals are kept', async () => {
    const key = v7();
    await send(key, { path: '/secret' });
    await send(key, { path: '/secret' });
    expect(runs).toBe(2);
    expect((await send(key, { path: '/secret', what: 'other' })).status).toBe(422);
    const { rows } = await database.pool.query(
      'select status, headers, body from reelstream.idempotency where key = $1',
      [key],
    );
    expect(rows).toEqual([{ status: null, headers: null, body: null }]);

    const refused = v7();
    act = () => Promise.reject(new DomainError('unauthenticated', 'no', 'No.'));
    await send(refused, { path: '/secret' });
    await send(refused, { path: '/secret' });
    expect(runs).toBe(3);
  });

  test('that sent its answer by itself runs again', async () => {
    const key = v7();
    await send(key, { path: '/streamed' });
    // Its answer was sent before its key was released.
    await eventually(async () => (await send(key, { path: '/streamed' })).status === 200, {
      what: 'the key is released',
    });
    expect(runs).toBe(2);
  });

  test('gets the key of a dead process after its hold has expired', async () => {
    const key = v7();
    act = () => Promise.reject(new Error('stand-in for a crash'));
    await send(key);
    const hold = (interval: string): Promise<unknown> =>
      database.pool.query(`update reelstream.idempotency set held_until = now() + $2::interval where key = $1`, [
        key,
        interval,
      ]);
    act = () => Promise.resolve({ status: 200, message: 'taken over' });
    await hold('10 seconds');
    expect((await send(key)).body.code).toBe('idempotency_in_progress');
    await hold('-1 seconds');
    expect((await send(key)).status).toBe(200);
  });

  test('is forgotten after 24 hours', async () => {
    const key = v7();
    await send(key);
    await database.pool.query(
      `update reelstream.idempotency set created_at = now() - interval '24 hours 1 second' where key = $1`,
      [key],
    );
    expect((await send(key, { what: 'other' })).status).toBe(201);
    expect(runs).toBe(2);
  });

  test('is refused while the database is unavailable; without a key it runs', async () => {
    await using proxy = await startTcpProxy(database.url);
    const pool = createPool({ connectionString: proxy.url, name: 'test', max: 1 });
    const idempotency = createPostgresIdempotency({ pool, secret: 'for tests', logger: collectingLog().logger });
    const own = await startTestApp({ routes, idempotency });
    try {
      const key = v7();
      const through = (headers: Record<string, string>): Promise<Response> =>
        fetch(`${own.url}/stored`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: '{"what":"a"}',
        });
      proxy.cut();
      const refused = await through({ 'idempotency-key': key });
      expect([
        refused.status,
        refused.headers.get('retry-after'),
        ((await refused.json()) as Sent['body']).code,
        runs,
      ]).toEqual([503, '1', 'database_unavailable', 0]);
      expect((await through({})).status).toBe(201);
      proxy.restore();
      expect((await through({ 'idempotency-key': key })).status).toBe(201);
    } finally {
      await own[Symbol.asyncDispose]();
      idempotency.close();
      await pool.end();
    }
  });

  test('is stored so that its body cannot be guessed without the secret', async () => {
    const key = v7();
    await send(key);
    const { rows } = await database.pool.query<{ fingerprint: string }>(
      'select fingerprint from reelstream.idempotency where key = $1',
      [key],
    );
    expect(rows[0]?.fingerprint).toMatch(/^[\w-]{43}$/);
    const { createHash } = await import('node:crypto');
    const unkeyed = createHash('sha256')
      .update(JSON.stringify(['POST', '/stored', { what: 'a' }]))
      .digest('base64url');
    expect(rows[0]?.fingerprint).not.toBe(unkeyed);
  });
});
