import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { startTestApp, TEST_JWT_SECRET, type TestApp } from '../../tests/support/httpApp.ts';
import { raw, routes as shownRoutes } from '../../tests/support/httpAppRoutes.ts';
import { fc } from '../../tests/support/property.ts';
import { onlyLimiting } from '../../tests/support/rateLimits.ts';
import type { Route } from '../http/route.ts';
import { createRateLimits } from '../rateLimits/createRateLimits.ts';
import { declaredApiRoutes } from './declaredRoutes.ts';

type Door = 'front' | 'express';

interface Side {
  readonly app: TestApp;
  /** Which door each request that reached a handler came through. */
  readonly doors: Door[];
}

/** The declared routes answer what they were asked, and those of the HTTP application's own tests what they always do. */
function routesThat(note: (door: Door) => void): Route[] {
  const declared = declaredApiRoutes().map((route): Route => ({
    ...route,
    handle: ({ params, query, body, user, minPosition, context: { traceparent }, address }) =>
      Promise.resolve({
        status: 200,
        message: 'asked',
        data: { params, query, body, user, traceparent, address, min: minPosition?.toString() },
      }),
  }));
  return [...declared, ...shownRoutes.filter(({ path }) => path !== '/wait')].map((route) => ({
    ...route,
    handle(request) {
      note('app' in request.raw ? 'express' : 'front');
      return route.handle(request);
    },
  }));
}

async function startSide(frontDoor: boolean): Promise<Side> {
  const doors: Door[] = [];
  // Limits that a test reaches, and an address that each test chooses.
  const limits = onlyLimiting({ general: { points: 3, seconds: 60 }, address: { points: 5, seconds: 60 } });
  const app = await startTestApp({
    routes: routesThat((door) => doors.push(door)),
    frontDoor,
    trustProxy: 'loopback',
    rateLimits: createRateLimits({ enabled: true, limits }),
  });
  return { app, doors };
}

let front: Side;
let express: Side;
beforeAll(async () => {
  [front, express] = [await startSide(true), await startSide(false)];
});
afterAll(async () => {
  await front.app[Symbol.asyncDispose]();
  await express.app[Symbol.asyncDispose]();
});
beforeEach(() => {
  for (const { doors } of [front, express]) doors.length = 0;
});

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What is different in each answer: the time, and a request id that the client did not choose. */
function withoutChance(answer: string): string {
  return answer
    .replace(/^Date: .*$/m, 'Date: now')
    .replaceAll(/"timestamp":"[^"]+"/g, '"timestamp":"now"')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'id')
    .replaceAll(/^(RateLimit-Reset|Retry-After): (?:60|5\d)$/gm, '$1: a minute')
    .replaceAll(/try again in (?:60|5\d) s/g, 'try again in a minute');
}

async function answerOf({ app }: Side, { method, url, headers = {}, body }: Asked): Promise<object> {
  const before = app.logged.length;
  const lines = Object.entries({
    Host: 'x',
    Connection: 'close',
    ...(body !== undefined && { 'Content-Length': String(Buffer.byteLength(body)) }),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  const bytes = await raw(app.port, `${method} ${url} HTTP/1.1\r\n${lines.join('')}\r\n${body ?? ''}`);
  const logged = app.logged
    .slice(before)
    .map(({ level, method, path, status, code, msg }) => ({ level, method, path, status, code, msg }));
  return { answer: withoutChance(bytes), logged };
}

/** Asks both sides. They must answer and log the same. */
async function compared(asked: Asked): Promise<string> {
  const [ours, theirs] = await Promise.all([answerOf(front, asked), answerOf(express, asked)]);
  expect(ours).toEqual(theirs);
  return (ours as { answer: string }).answer;
}

const user = { id: 'u1', name: 'Ada', username: 'ada', email: 'ada@example.org', role: 'user' };
const bearer = (claims: object = user, secret = TEST_JWT_SECRET, options: jwt.SignOptions = {}): string =>
  `Bearer ${jwt.sign(claims, secret, { noTimestamp: true, ...options })}`;
const someVideo = '/api/v1/video/01980a3c-5b7e-7c41-9d2a-6f1e0b8c4d25';
let addresses = 0;
/** The next address that no request has come from yet. */
const nextAddress = (): string => `203.0.${addresses >> 8}.${addresses++ & 255}`;

describe('the front door and Express answer the same', () => {
  test.each<[number, Asked, Door[]]>([
    [200, { method: 'GET', url: '/api/v1/video?page=2&limit=5' }, ['front']],
    [200, { method: 'GET', url: someVideo, headers: { Authorization: bearer() } }, ['front']],
    [200, { method: 'HEAD', url: '/bytes' }, ['front']],
    [200, { method: 'GET', url: '/health/live/' }, ['express']],
    [304, { method: 'GET', url: '/bytes', headers: { 'If-None-Match': '"v1"' } }, ['front']],
    [304, { method: 'HEAD', url: '/bytes', headers: { 'If-None-Match': '*' } }, ['front']],
    [400, { method: 'GET', url: '/api/v1/video?limit=0&page=x' }, []],
    [400, { method: 'GET', url: '/bytes', headers: { 'X-Min-Position': 'x' } }, []],
    [401, { method: 'GET', url: '/required' }, []],
    [401, { method: 'GET', url: '/required', headers: { Authorization: bearer(user, 'another secret') } }, []],
    [
      401,
      { method: 'GET', url: '/required', headers: { Authorization: bearer(user, TEST_JWT_SECRET, { expiresIn: -1 }) } },
      [],
    ],
    [403, { method: 'GET', url: '/admin', headers: { Authorization: bearer() } }, []],
    [404, { method: 'GET', url: '/nowhere' }, []],
    [405, { method: 'PATCH', url: '/things/special' }, []],
    [405, { method: 'POST', url: '/things/special' }, []],
    [204, { method: 'OPTIONS', url: '/things/special' }, []],
    [
      204,
      {
        method: 'OPTIONS',
        url: '/bytes',
        headers: { Origin: 'https://a.example', 'Access-Control-Request-Method': 'GET' },
      },
      [],
    ],
    [200, { method: 'GET', url: '/bytes', headers: { Origin: 'http://localhost:5173' } }, ['front']],
    [500, { method: 'GET', url: '/throw/bug' }, ['front']],
    [503, { method: 'GET', url: '/throw/busy' }, ['front']],
    [
      201,
      { method: 'POST', url: '/things/one', headers: { 'Content-Type': 'application/json' }, body: '{"name":"abc"}' },
      ['front'],
    ],
    [
      400,
      { method: 'POST', url: '/things/one', headers: { 'Content-Type': 'application/json' }, body: '{"name":' },
      [],
    ],
    [
      413,
      {
        method: 'POST',
        url: '/things/one',
        headers: { 'Content-Type': 'application/json' },
        body: `"${'x'.repeat(200_000)}"`,
      },
      [],
    ],
    [415, { method: 'POST', url: '/things/one', headers: { 'Content-Type': 'text/plain' }, body: 'x' }, []],
    [204, { method: 'DELETE', url: '/nothing' }, ['front']],
  ])('%p to %j', async (status, asked, doors) => {
    const headers = { 'X-Forwarded-For': nextAddress(), ...asked.headers };
    expect(await compared({ ...asked, headers })).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    const toExpress = asked.url.endsWith('/');
    // The routes of the system do not note their door.
    expect([front.doors, express.doors]).toEqual(toExpress ? [[], []] : [doors, doors.map(() => 'express')]);
  });

  test('429, after the same number of requests of a user and of an address', async () => {
    const ask = (url: string, headers: Record<string, string>): Promise<string> =>
      compared({ method: 'GET', url, headers: { 'X-Forwarded-For': '198.51.100.1', ...headers } });
    const statuses = [];
    for (const name of ['a', 'a', 'a', 'a', 'b', 'b', 'b']) {
      const answer = await ask('/required', { Authorization: bearer({ ...user, id: name }) });
      statuses.push(answer.slice(9, 12));
    }
    expect(statuses).toEqual(['200', '200', '200', '429', '200', '200', '429']);
  });

  test('an answer that breaks in the middle', async () => {
    await compared({ method: 'GET', url: '/half' });
    expect([front.doors, express.doors]).toEqual([['front'], ['express']]);
  });

  const paths = [...routesThat(() => undefined).map(({ path }) => path), '/health', '/', '/docs', '/nowhere'];
  const segment = fc.constantFrom(
    'u1',
    'bug',
    'Video-1',
    '%41',
    '%',
    '%2F',
    'a;b',
    "o'k",
    '..',
    '~x.y',
    'é',
    '💥',
    '',
    ' ',
  );
  const spellings: ((path: string) => string)[] = [
    (path) => path,
    (path) => path,
    (path) => `${path}/`,
    (path) => `${path}//`,
    (path) => `/${path}`,
    (path) => path.toUpperCase(),
    (path) => path.replace('/', '//'),
    (path) => path.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
    (path) => `http://x${path}`,
    (path) => `${path}#there`,
    (path) => `${path}#there?page=2`,
    (path) => `${path}\xa0`,
    (path) => path.replace('/', '/./'),
    (path) => path.replace('/', '\\'),
  ];
  const query = fc.oneof(
    fc.constantFrom(
      '',
      '?',
      '?page=1',
      '?page=1&page=2',
      '?limit[]=1',
      '?page=%31',
      '?cursor',
      '?page=1#x',
      '??page=1',
      '?page=1?',
      '?limit=5\xa0',
      '?__proto__=1',
      `?page=${'1'.repeat(9_000)}`,
      '?cursor=%00',
      '?cursor=%ED%A0%80',
      '?size=7;limit=3',
    ),
    fc.webQueryParameters().map((text) => `?${text}`),
  );
  const header = (name: string, ...values: string[]) =>
    fc
      .option(fc.constantFrom(...values), { nil: undefined })
      .map((value) => (value === undefined ? {} : { [name]: value }));
  const headers = fc
    .tuple(
      header(
        'Authorization',
        bearer(),
        bearer({ ...user, role: 'admin' }),
        bearer(user, 'other'),
        'Bearer x',
        'nothing',
        '',
      ),
      header('If-None-Match', '"v1"', '"v0"', 'W/"v1"', '*'),
      header('If-Match', '"1"'),
      header('Origin', 'http://localhost:1', 'https://a.example', 'null'),
      header('X-Request-Id', 'mine', 'not mine', 'x'.repeat(200)),
      header('traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'x'),
      header('X-Min-Position', '0', '99', '-1', '9'.repeat(30)),
      header('Accept', 'text/csv', 'image/png'),
      header('Idempotency-Key', 'k', 'two words'),
      header('Content-Type', 'application/json', 'text/plain'),
    )
    .map((each) => Object.assign({}, ...each) as Record<string, string>);
  const requests = fc.record({
    method: fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'),
    url: fc
      .tuple(fc.constantFrom(...paths), segment, fc.constantFrom(...spellings), query)
      .map(([path, text, spell, asked]) => spell(path.replaceAll(/:\w+/g, () => text)) + asked),
    headers,
    body: fc.constantFrom(undefined, undefined, '{}', '{"name":"abc","title":"t"}', 'nonsense'),
  });

  test('whatever is asked, in whatever spelling', async () => {
    await fc.assert(
      fc.asyncProperty(requests, async ({ headers: generated, ...asked }) => {
        await compared({ ...asked, headers: { 'X-Forwarded-For': nextAddress(), ...generated } });
      }),
      { numRuns: 1_000 },
    );
    const counts = await Promise.all([front, express].map(({ app }) => requestCounts(app)));
    expect(counts[0]).toEqual(counts[1]);
    expect(new Set(front.doors)).toEqual(new Set(['front', 'express']));
    expect(new Set(express.doors)).toEqual(new Set(['express']));
  }, 120_000);
});

async function requestCounts({ metrics }: TestApp): Promise<string[]> {
  return (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith('api_requests_total'));
}
