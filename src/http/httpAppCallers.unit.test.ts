import { describe, expect, test } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { startTestApp, TEST_JWT_SECRET, type TestApp } from '../../tests/support/httpApp.ts';
import { type Body, type Called, routes, useHttpApp } from '../../tests/support/httpAppRoutes.ts';
import { onlyLimiting } from '../../tests/support/rateLimits.ts';
import { createRateLimits } from '../rateLimits/createRateLimits.ts';

const { call } = useHttpApp();

describe('the caller', () => {
  const claims = { id: 'u1', name: 'Ada', username: 'ada', email: 'ada@example.org' };
  const bearer = (token: string): RequestInit => ({ headers: { authorization: `Bearer ${token}` } });

  test('is what the token says', async () => {
    const { body } = await call('/required', bearer(jwt.sign(claims, TEST_JWT_SECRET)));
    expect(body.data).toEqual({ ...claims, role: 'user' });
  });

  test('needs the role of a route, which a token that names none or an unknown one does not have', async () => {
    const as = (role?: unknown): Promise<Called> =>
      call('/admin', bearer(jwt.sign({ ...claims, role }, TEST_JWT_SECRET)));
    expect(await as('admin')).toMatchObject({ status: 200, body: { data: { ...claims, role: 'admin' } } });
    for (const role of ['user', 'root', 1, null, undefined]) {
      expect(await as(role)).toMatchObject({
        status: 403,
        body: { code: 'admin_required', message: expect.stringMatching(/^This needs the role admin\. .*grant/) },
      });
    }
    expect(await call('/admin')).toMatchObject({ status: 401, body: { code: 'authentication_required' } });
  });

  test.each([
    ['none', undefined, 'authentication_required'],
    ['an expired one', jwt.sign(claims, TEST_JWT_SECRET, { expiresIn: -1 }), 'token_expired'],
    ['one that another signed', jwt.sign(claims, 'another secret'), 'token_invalid'],
    ['one that nobody signed', jwt.sign(claims, '', { algorithm: 'none' }), 'token_invalid'],
    ['one of another algorithm', jwt.sign(claims, TEST_JWT_SECRET, { algorithm: 'HS512' }), 'token_invalid'],
    ['one that is no access token', jwt.sign({ sid: 's', rev: 1 }, TEST_JWT_SECRET), 'token_invalid'],
    ['nonsense', 'abc', 'token_invalid'],
  ])(
    'must be known where that is required; with the token %s it is not, and where it is optional the request is answered',
    async (_what, token, code) => {
      const init = token === undefined ? {} : bearer(token);
      const { status, headers, body } = await call('/required', init);
      expect([status, body.code, headers.get('www-authenticate')]).toEqual([401, code, 'Bearer realm="reelstream"']);
      const optional = await call('/optional', init);
      expect([optional.status, optional.body.data]).toEqual([200, null]);
    },
  );
});

describe('too many requests', () => {
  const limits = onlyLimiting({ general: { points: 2, seconds: 60 } });
  const get = (url: string, user?: string): Promise<Response> =>
    fetch(`${url}/required`, {
      headers:
        user === undefined
          ? {}
          : { authorization: `Bearer ${jwt.sign({ id: user, name: '', username: '', email: '' }, TEST_JWT_SECRET)}` },
    });

  test('are refused with the time to wait; each user and each address has its own limit', async () => {
    await using own = await startTestApp({ routes, rateLimits: createRateLimits({ enabled: true, limits }) });
    const first = await get(own.url, 'a');
    expect([
      first.status,
      ...['limit', 'remaining', 'reset'].map((name) => first.headers.get(`ratelimit-${name}`)),
    ]).toEqual([200, '2', '1', '60']);
    await get(own.url, 'a');
    const third = await get(own.url, 'a');
    expect([third.status, third.headers.get('ratelimit-remaining'), ((await third.json()) as Body).code]).toEqual([
      429,
      '0',
      'rate_limited',
    ]);
    expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(50);
    expect((await get(own.url, 'b')).status).toBe(200);
    expect([(await get(own.url)).status, (await get(own.url)).status, (await get(own.url)).status]).toEqual([
      401, 401, 429,
    ]);
  });

  test('of many users behind one address are counted together as well', async () => {
    const few = onlyLimiting({ general: { points: 3, seconds: 60 }, address: { points: 4, seconds: 60 } });
    await using own = await startTestApp({ routes, rateLimits: createRateLimits({ enabled: true, limits: few }) });
    const answers = [];
    for (const user of ['a', 'b', 'c', 'd', 'e']) answers.push(await get(own.url, user));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 429]);
    // The headers are those of the limit that is closer to its end.
    expect(
      answers.map(({ headers }) => `${headers.get('ratelimit-remaining')}/${headers.get('ratelimit-limit')}`),
    ).toEqual(['2/3', '2/4', '1/4', '0/4', '0/4']);
    expect((await get(own.url)).status).toBe(401);
  });

  test('of one user who is over the limit do not use up what others behind the address have', async () => {
    const few = onlyLimiting({ general: { points: 2, seconds: 60 }, address: { points: 4, seconds: 60 } });
    await using own = await startTestApp({ routes, rateLimits: createRateLimits({ enabled: true, limits: few }) });
    for (let request = 0; request < 10; request++) await get(own.url, 'a');
    expect((await get(own.url, 'b')).status).toBe(200);
  });

  test('do not affect health checks and metrics', async () => {
    await using own = await startTestApp({ routes, rateLimits: createRateLimits({ enabled: true, limits }) });
    for (const path of ['/health', '/metrics', '/openapi.json']) {
      for (let request = 0; request < 4; request++) expect((await fetch(own.url + path)).status).toBe(200);
    }
  });
});

describe('a proxy', () => {
  const through = (url: string): Promise<Response> =>
    fetch(`${url}/bytes`, { headers: { 'x-forwarded-for': '203.0.113.7' } });
  const warnings = (own: TestApp): unknown[] => own.logged.filter(({ level }) => level === 40).map(({ msg }) => msg);

  test('that is not trusted is warned of once, with what to set', async () => {
    await using own = await startTestApp({ routes });
    for (let request = 0; request < 3; request++) await through(own.url);
    expect(warnings(own)).toEqual([expect.stringContaining('set TRUST_PROXY=127.0.0.1')]);
  });

  test('that is trusted is not warned of', async () => {
    await using own = await startTestApp({ routes, trustProxy: 'loopback' });
    await through(own.url);
    expect(warnings(own)).toEqual([]);
  });
});

describe('other origins', () => {
  test.each([
    ['http://localhost:5173', 'http://localhost:5173', 'true'],
    ['https://127.0.0.1:8443', 'https://127.0.0.1:8443', 'true'],
    ['https://elsewhere.example', '*', null],
    ['https://localhost.evil.example', '*', null],
  ])('at %s get %s, with credentials: %s', async (origin, allowed, credentials) => {
    const { headers } = await call('/bytes', { headers: { origin } });
    expect([headers.get('access-control-allow-origin'), headers.get('access-control-allow-credentials')]).toEqual([
      allowed,
      credentials,
    ]);
    expect(headers.get('vary')).toContain('Origin');
  });

  test('may ask first', async () => {
    const { status, headers } = await call('/things/one', {
      method: 'OPTIONS',
      headers: {
        origin: 'http://localhost:3001',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,idempotency-key',
      },
    });
    expect([status, headers.get('access-control-allow-headers')]).toEqual([204, 'authorization,idempotency-key']);
  });
});
