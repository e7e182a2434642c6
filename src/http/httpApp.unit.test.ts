import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { eventually } from '../../tests/support/eventually.ts';
import { startTestApp, TEST_JWT_SECRET, type TestApp } from '../../tests/support/httpApp.ts';
import { onlyLimiting } from '../../tests/support/rateLimits.ts';
import { DomainError } from '../core/errors.ts';
import { EventStoreUnavailable, RevisionConflict } from '../core/eventStore.ts';
import { ObjectStoreUnavailable } from '../objectStore/objectStore.ts';
import { createRateLimits } from '../rateLimits/createRateLimits.ts';
import { route, type Route } from './route.ts';

const common = { tag: 'System', auth: 'none', description: '', responses: { 200: { description: 'ok' } } } as const;
const thrown: Record<string, () => unknown> = {
  bug: () => new TypeError('secret detail of /etc/passwd'),
  conflict: () => new RevisionConflict('video-1', 1, 2),
  store: () => new EventStoreUnavailable('host db-7 is away'),
  objects: () => new ObjectStoreUnavailable('bucket x'),
  database: () => Object.assign(new Error('connect ECONNREFUSED 10.1.2.3'), { code: 'ECONNREFUSED' }),
  missingFile: () => Object.assign(new Error('no such file'), { code: 'ENOENT' }),
  busy: () => new DomainError('unavailable', 'busy', 'Too busy.', { retryAfter: 2.2 }),
  text: () => 'not even an error',
};

const routes: Route[] = [
  route({
    ...common,
    method: 'post',
    path: '/things/:thing',
    operationId: 'postThing',
    summary: '',
    params: z.object({ thing: z.string().max(20) }),
    query: z.object({ size: z.coerce.number().int().default(1) }),
    body: z.object({ name: z.string().min(3), tags: z.array(z.string()).default([]) }),
    handle: ({ params, query, body, context, minPosition }) =>
      Promise.resolve({
        status: 201,
        message: 'made',
        data: {
          params,
          query,
          body,
          correlationId: context.correlationId,
          traceparent: context.traceparent,
          min: minPosition?.toString(),
        },
        appended: { stream: 'thing-1', position: 12n, types: [] },
        behind: true,
      }),
  }),
  route({
    ...common,
    method: 'get',
    path: '/things/special',
    operationId: 'special',
    summary: '',
    handle: () => Promise.resolve({ status: 200, message: 'special' }),
  }),
  route({
    ...common,
    method: 'get',
    path: '/things/:thing',
    operationId: 'getThing',
    summary: '',
    handle: () => Promise.resolve({ status: 200, message: 'any' }),
  }),
  route({
    ...common,
    method: 'get',
    path: '/bytes',
    operationId: 'bytes',
    summary: '',
    handle: () =>
      Promise.resolve({ status: 200, bytes: Buffer.from('{"ä":1}'), contentType: 'application/json', etag: '"v1"' }),
  }),
  route({
    ...common,
    method: 'get',
    path: '/throw/:what',
    operationId: 'throw',
    summary: '',
    handle: ({ raw }) => Promise.reject(thrown[raw.params['what'] as string]?.() as Error),
  }),
  route({
    ...common,
    method: 'get',
    path: '/half',
    operationId: 'half',
    summary: '',
    handle: ({ response }) => {
      response.writeHead(200, { 'Content-Length': '100' }).write('half');
      return Promise.reject(new Error('then it broke'));
    },
  }),
  route({
    ...common,
    method: 'get',
    path: '/required',
    operationId: 'required',
    summary: '',
    auth: 'required',
    handle: ({ user }) => Promise.resolve({ status: 200, message: 'you', data: user }),
  }),
  route({
    ...common,
    method: 'get',
    path: '/optional',
    operationId: 'optional',
    summary: '',
    auth: 'optional',
    handle: ({ user }) => Promise.resolve({ status: 200, message: 'you', data: user ?? null }),
  }),
  route({
    ...common,
    method: 'delete',
    path: '/nothing',
    operationId: 'nothing',
    summary: '',
    handle: () =>
      Promise.resolve({ status: 204, message: '', appended: { stream: 'thing-1', position: 7n, types: [] } }),
  }),
  route({
    ...common,
    method: 'get',
    path: '/wait',
    operationId: 'wait',
    summary: '',
    handle: ({ signal }) =>
      new Promise((resolve) => {
        const answer = (): void => resolve({ status: 200, message: (signal.reason as Error).message });
        if (signal.aborted) answer();
        else signal.addEventListener('abort', answer);
      }),
  }),
];

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ routes });
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
});

interface Body {
  readonly success: boolean;
  readonly statusCode: number;
  readonly message: string;
  readonly code: string;
  readonly errorMessages: { path: string; message: string }[];
  readonly requestId: string;
  readonly data: Record<string, unknown>;
}

async function call(path: string, init: RequestInit = {}): Promise<{ status: number; headers: Headers; body: Body }> {
  const response = await fetch(app.url + path, init);
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: (text === '' ? undefined : JSON.parse(text)) as Body,
  };
}

function postThing(body: unknown, headers: Record<string, string> = {}, path = '/things/one'): ReturnType<typeof call> {
  return call(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

/** What the server answers to these bytes, until it closes the connection. */
function raw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  return text(socket);
}

describe('a request that is fine', () => {
  test('reaches its route checked and converted, and is answered in the envelope', async () => {
    const { status, headers, body } = await postThing({ name: 'abc', unknown: 1 }, {}, '/things/one?size=5');
    expect(status).toBe(201);
    expect(body).toMatchObject({ success: true, statusCode: 201, message: 'made' });
    expect(body.data).toMatchObject({ params: { thing: 'one' }, query: { size: 5 }, body: { name: 'abc', tags: [] } });
    expect(headers.get('x-event-position')).toBe('12');
    expect(headers.get('x-projection-behind')).toBe('true');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('cache-control')).toBe('no-store');
  });

  test('keeps the name and the trace that its client gave it', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const { headers, body } = await postThing(
      { name: 'abc' },
      { 'x-request-id': 'mine-1', traceparent, 'x-min-position': '99' },
    );
    expect(headers.get('x-request-id')).toBe('mine-1');
    expect(body.data).toMatchObject({ correlationId: 'mine-1', traceparent, min: '99' });
  });

  test.each([['with spaces in it'], ['x'.repeat(129)]])('is given a name of ours instead of %p', async (given) => {
    const { headers } = await call('/bytes', { headers: { 'x-request-id': given } });
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('is answered in HTTP/1.1 when it offers another protocol', async () => {
    const answer = await raw(
      app.port,
      'GET /bytes HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\n/);
  });

  test('takes a literal path before a parameter', async () => {
    expect((await call('/things/special')).body.message).toBe('special');
    expect((await call('/things/other')).body.message).toBe('any');
  });

  test('is answered without a body where there is none', async () => {
    const response = await fetch(`${app.url}/nothing`, { method: 'DELETE' });
    expect([
      response.status,
      response.headers.get('x-event-position'),
      response.headers.get('content-type'),
      await response.text(),
    ]).toEqual([204, '7', null, '']);
  });
});

describe('bytes with a tag', () => {
  test.each(['"v1"', 'W/"v1"', '"v0", "v1"', '*'])('are not sent again to a client that has them: %s', async (tag) => {
    const response = await fetch(`${app.url}/bytes`, { headers: { 'if-none-match': tag } });
    expect([response.status, response.headers.get('etag'), await response.text()]).toEqual([304, '"v1"', '']);
  });

  test('are sent to one that has others', async () => {
    const response = await fetch(`${app.url}/bytes`, { headers: { 'if-none-match': '"v2"' } });
    expect([response.status, response.headers.get('content-length'), await response.text()]).toEqual([
      200,
      '8',
      '{"ä":1}',
    ]);
  });

  test('answer a HEAD with the headers alone', async () => {
    const response = await fetch(`${app.url}/bytes`, { method: 'HEAD' });
    expect([response.status, response.headers.get('content-length'), await response.text()]).toEqual([200, '8', '']);
  });
});

describe('a request that is not fine', () => {
  test('hears what is wrong, one message per field', async () => {
    const { status, body } = await postThing({ tags: ['a', 1] }, {}, '/things/this-name-is-far-too-long?size=x');
    expect(status).toBe(400);
    expect(body).toMatchObject({ success: false, statusCode: 400, code: 'validation_failed' });
    expect(body.errorMessages.map(({ path }) => path)).toEqual(['thing', 'size', 'name', 'tags.1']);
    expect(body.errorMessages).toContainEqual({ path: 'name', message: 'name is required' });
    expect(body.message).toBe(body.errorMessages[0]?.message);
  });

  test.each([
    ['nothing at all', {}, undefined, 400, 'validation_failed'],
    ['broken JSON', { 'content-type': 'application/json' }, '{"name":', 400, 'malformed_json'],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 'name=abc', 415, 'unsupported_media_type'],
    ['no content type', { 'content-type': '' }, '{"name":"abc"}', 415, 'unsupported_media_type'],
    [
      'a charset of old',
      { 'content-type': 'application/json; charset=koi8-r' },
      '{"name":"abc"}',
      415,
      'unsupported_charset',
    ],
    [
      'an encoding of nobody',
      { 'content-type': 'application/json', 'content-encoding': 'zip' },
      '{"name":"abc"}',
      415,
      'unsupported_encoding',
    ],
    [
      'too much',
      { 'content-type': 'application/json' },
      JSON.stringify({ name: 'x'.repeat(200_000) }),
      413,
      'body_too_large',
    ],
    ['JSON that is no object', { 'content-type': 'application/json' }, '7', 400, 'validation_failed'],
    ['a NUL character', { 'content-type': 'application/json' }, '{"name":"ab\\u0000c"}', 400, 'validation_failed'],
    [
      'half a surrogate pair',
      { 'content-type': 'application/json' },
      '{"name":"ab\\ud800c"}',
      400,
      'validation_failed',
    ],
    [
      '100 KB of brackets',
      { 'content-type': 'application/json' },
      `{"name":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
      400,
      'validation_failed',
    ],
    [
      'a position that is none',
      { 'content-type': 'application/json', 'x-min-position': '-1' },
      '{"name":"abc"}',
      400,
      'invalid_min_position',
    ],
    [
      'a position beyond all',
      { 'content-type': 'application/json', 'x-min-position': '9223372036854775808' },
      '{"name":"abc"}',
      400,
      'invalid_min_position',
    ],
    [
      'a key with spaces',
      { 'content-type': 'application/json', 'idempotency-key': 'a b' },
      '{"name":"abc"}',
      400,
      'invalid_idempotency_key',
    ],
  ])('is refused when it sends %s', async (_what, headers, body, status, code) => {
    const answer = await call('/things/one', {
      method: 'POST',
      headers: headers as Record<string, string>,
      ...(body !== undefined && { body: Buffer.from(body) }),
    });
    expect([answer.status, answer.body.code, answer.body.statusCode]).toEqual([status, code, status]);
    expect(answer.body.requestId).toBe(answer.headers.get('x-request-id'));
  });

  test('finds nothing at an unknown address', async () => {
    const { status, body } = await call('/api/v1/nowhere');
    expect([status, body.success, body.code]).toEqual([404, false, 'route_not_found']);
  });

  test('hears which methods a known address has', async () => {
    const { status, headers, body } = await call('/things/special', { method: 'DELETE' });
    expect([status, headers.get('allow'), body.code]).toEqual([405, 'GET, HEAD, OPTIONS', 'method_not_allowed']);
  });

  test('is refused in the same form when it is no HTTP, or too much of it', async () => {
    for (const [text, status, code] of [
      ['GET /bytes HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n', 400, 'malformed_request'],
      [`GET /bytes HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'headers_too_large'],
    ] as const) {
      const [head = '', body = ''] = (await raw(app.port, text)).split('\r\n\r\n');
      expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} .*\r\n(.*\r\n)*X-Request-Id: \\S+`));
      expect(JSON.parse(body)).toEqual({
        success: false,
        statusCode: status,
        message: expect.any(String),
        code,
        errorMessages: [],
        requestId: expect.any(String),
      });
    }
  });

  test('is refused when its address cannot be decoded', async () => {
    const { status, body } = await call('/things/%ff');
    expect([status, body.code]).toEqual([400, 'bad_request']);
  });
});

describe('an error', () => {
  test.each([
    ['bug', 500, 'internal_error', null],
    ['text', 500, 'internal_error', null],
    ['missingFile', 500, 'internal_error', null],
    ['conflict', 409, 'conflict', '1'],
    ['store', 503, 'event_store_unavailable', '1'],
    ['objects', 503, 'object_store_unavailable', '1'],
    ['database', 503, 'database_unavailable', '1'],
    ['busy', 503, 'busy', '3'],
  ])('of the kind "%s" becomes %i %s and shows nothing of the inside', async (what, status, code, retryAfter) => {
    const { headers, body, ...answer } = await call(`/throw/${what}`);
    expect([answer.status, body.code, headers.get('retry-after')]).toEqual([status, code, retryAfter]);
    expect(JSON.stringify(body)).not.toMatch(/secret|passwd|db-7|bucket x|10\.1\.2\.3|video-1/);
  });

  test('of a conflict is a failed precondition when the client named its version', async () => {
    const { status, body } = await call('/throw/conflict', { headers: { 'if-match': '"1"' } });
    expect([status, body.code]).toEqual([412, 'precondition_failed']);
  });

  test('after half an answer cuts the connection, so that the client notices', async () => {
    await expect(fetch(`${app.url}/half`).then((response) => response.text())).rejects.toThrow();
    expect((await call('/bytes')).status).toBe(200);
  });

  test('that is a fault of ours is logged with its cause under the name of the request', async () => {
    await call('/throw/bug', { headers: { 'x-request-id': 'find-me' } });
    expect(app.logged).toContainEqual(
      expect.objectContaining({
        requestId: 'find-me',
        err: expect.objectContaining({ message: expect.stringContaining('secret detail') }),
      }),
    );
  });
});

describe('who asks', () => {
  const claims = { id: 'u1', name: 'Ada', username: 'ada', email: 'ada@example.org' };
  const bearer = (token: string): RequestInit => ({ headers: { authorization: `Bearer ${token}` } });

  test('is what the token says', async () => {
    const { body } = await call('/required', bearer(jwt.sign(claims, TEST_JWT_SECRET)));
    expect(body.data).toEqual(claims);
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
    'must be known where that is required; with %s it is not, and where it is optional nobody minds',
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

  test('are refused with when to come again; each user and each address has a share of its own', async () => {
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

  test('do not stand in the way of health checks and metrics', async () => {
    await using own = await startTestApp({ routes, rateLimits: createRateLimits({ enabled: true, limits }) });
    for (const path of ['/health', '/metrics', '/openapi.json']) {
      for (let request = 0; request < 4; request++) expect((await fetch(own.url + path)).status).toBe(200);
    }
  });
});

describe('a proxy', () => {
  const through = (url: string): Promise<Response> =>
    fetch(`${url}/bytes`, { headers: { 'x-forwarded-for': '203.0.113.7' } });
  const warnings = (app: TestApp): unknown[] => app.logged.filter(({ level }) => level === 40).map(({ msg }) => msg);

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

describe('what is seen from outside', () => {
  test('counts requests and times them as the seed did', async () => {
    await call('/bytes');
    const text = await (await fetch(`${app.url}/metrics`)).text();
    expect(text).toMatch(/^api_requests_total\{method="GET",status_code="200"\} \d+$/m);
    for (const bucket of ['0.1', '0.2', '0.5', '1', '2', '5', '+Inf'])
      expect(text).toContain(`api_response_duration_seconds_bucket{le="${bucket}"}`);
    expect(text).toMatch(/^process_cpu_seconds_total /m);
  });

  test('logs the path of a request and not its query', async () => {
    await call('/bytes?token=hush', { headers: { 'x-request-id': 'quiet' } });
    const line = app.logged.find(({ requestId }) => requestId === 'quiet');
    expect(line).toMatchObject({ method: 'GET', path: '/bytes', status: 200, level: 20 });
  });

  test('is read as a page, with everything from here', async () => {
    const page = await fetch(`${app.url}/docs`);
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
    const sources = [...(await page.text()).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, source]) => source ?? '');
    expect(sources).toHaveLength(4);
    for (const source of sources) expect((await fetch(app.url + source)).status).toBe(200);
  });
});

describe('a client that goes away, a server that goes down', () => {
  test('tell the handler', async () => {
    await using own = await startTestApp({ routes });
    const waiting = fetch(`${own.url}/wait`);
    // Whatever order the two arrive in, the handler hears of it.
    own.drain.abort();
    const answer = await waiting;
    expect(((await answer.json()) as Body).message).toBe('the server is going down');
    const late = await fetch(`${own.url}/health/ready`);
    expect(late.status).toBe(503);
  });

  test('are counted as 499 when nobody waited for the answer', async () => {
    await using own = await startTestApp({ routes });
    const request = httpRequest(`${own.url}/wait`);
    request.on('error', () => undefined);
    const sent = new Promise((resolve) => request.once('socket', (socket) => socket.once('connect', resolve)));
    request.end();
    await sent;
    await fetch(`${own.url}/bytes`);
    request.destroy();
    await eventually(async () => (await own.metrics.registry.metrics()).includes('status_code="499"'), {
      what: 'the request that was given up has been counted',
    });
  });
});
