import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { v7 } from 'uuid';
import { startAccountsTest, type AccountsTest, type Answered } from '../../../tests/support/accounts.ts';
import { TEST_JWT_SECRET } from '../../../tests/support/httpApp.ts';
import { sessionStream } from './decider.ts';

let t: AccountsTest;
beforeAll(async () => {
  t = await startAccountsTest();
});
afterAll(async () => {
  await t[Symbol.asyncDispose]();
});

const person = { name: 'Ada Lovelace', username: 'ada', email: 'Ada@example.org', password: 'fahim123@' };
let registered: Answered;
beforeAll(async () => {
  registered = await t.post('/api/v1/auth/register', person);
});

const logIn = (password = person.password, email = person.email): Promise<Answered> =>
  t.post('/api/v1/auth/login', { email, password });
const refresh = (cookie: string | undefined, headers: Record<string, string> = {}): Promise<Answered> =>
  t.post('/api/v1/auth/refresh-token', undefined, {
    ...(cookie !== undefined && { cookie: `refreshToken=${cookie}` }),
    ...headers,
  });
/**
 * Both tokens of a session that was refreshed so many milliseconds ago, in the log as the command would have written it
 * then.
 */
async function sessionRefreshedBefore(ms: number): Promise<{ spent: string; newest: string }> {
  const sessionId = v7();
  const userId = registered.body.data['id'] as string;
  const [now, then] = [new Date(), new Date(Date.now() - ms)];
  const data = {
    sessionId,
    userId,
    expiresAt: new Date(now.getTime() + 3_600_000).toISOString(),
    at: then.toISOString(),
  };
  const events = ['SessionStarted', 'SessionRefreshed'].map((type) => ({
    id: v7(),
    type,
    data,
    metadata: { correlationId: 'test', schemaVersion: 1 },
  }));
  await t.store.append(sessionStream(sessionId), events, 'none');
  const token = (revision: number): string => t.tokens.refresh({ sessionId, userId, revision }, now);
  return { spent: token(0), newest: token(1) };
}
const logOut = (cookie: string | undefined): Promise<Answered> =>
  t.post('/api/v1/auth/logout', undefined, cookie === undefined ? {} : { cookie: `other=1; refreshToken=${cookie}` });

describe('logging in', () => {
  test('gives an access token that says who one is, and a cookie that no script sees', async () => {
    const { status, headers, body } = await logIn();
    expect(status).toBe(200);
    expect(Object.keys(body.data)).toEqual(['accessToken']);
    const claims = jwt.verify(body.data['accessToken'] as string, TEST_JWT_SECRET, {
      algorithms: ['HS256'],
    }) as jwt.JwtPayload;
    const { name, username, email } = person;
    expect(claims).toMatchObject({ id: registered.body.data['id'], name, username, email, sid: expect.any(String) });
    expect(claims.exp).toBe((claims.iat ?? 0) + 900);
    expect(headers.getSetCookie()).toEqual([
      expect.stringMatching(/^refreshToken=[^;]+; Max-Age=3600; Path=\/api\/v1\/auth; HttpOnly; SameSite=Lax$/),
      expect.stringMatching(/^device=[^;]+; Max-Age=34560000; Path=\/api\/v1\/auth; HttpOnly; SameSite=Lax$/),
    ]);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-event-position')).toMatch(/^\d+$/);
  });

  test('does not mind how the e-mail is written', async () => {
    expect((await logIn(person.password, ' aDA@EXAMPLE.org ')).status).toBe(200);
  });

  test('says the same of a wrong password and an unknown e-mail', async () => {
    const wrong = await logIn('fahim123#');
    const unknown = await logIn(person.password, 'nobody@example.org');
    const { requestId: _one, ...saysOne } = wrong.body as Answered['body'] & { requestId: string };
    const { requestId: _other, ...saysOther } = unknown.body as Answered['body'] & { requestId: string };
    expect([wrong.status, saysOne]).toEqual([401, saysOther]);
    expect([unknown.status, saysOther.code, unknown.cookie]).toEqual([401, 'invalid_credentials', undefined]);
  });

  test('takes as long for an unknown e-mail as for a wrong password', async () => {
    const times = { wrong: [] as number[], unknown: [] as number[] };
    const time = async (kind: keyof typeof times, attempt: () => Promise<unknown>): Promise<void> => {
      const started = performance.now();
      await attempt();
      times[kind].push(performance.now() - started);
    };
    // In turns, so that what else the machine does falls on both alike.
    for (let round = 0; round < 15; round++) {
      await time('wrong', () => logIn('fahim123#'));
      await time('unknown', () => logIn(person.password, 'nobody@example.org'));
    }
    const ratios = times.wrong.map((ms, round) => times.unknown[round]! / ms).toSorted((a, b) => a - b);
    expect(ratios[7]).toBeGreaterThan(1 / 1.5);
    expect(ratios[7]).toBeLessThan(1.5);
  });

  test('that is retried under its idempotency key starts one session, until that has ended', async () => {
    const headers = { 'idempotency-key': 'the-same-for-all-logins' };
    const sessionOf = ({ body }: Answered): unknown =>
      (jwt.decode(body.data['accessToken'] as string) as jwt.JwtPayload)['sid'];
    const retries = await Promise.all([1, 2, 3].map(() => t.post('/api/v1/auth/login', person, headers)));
    const answered = [
      ...retries.filter(({ status }) => status === 200),
      await t.post('/api/v1/auth/login', person, headers),
    ];
    expect(new Set(answered.map(sessionOf)).size).toBe(1);
    await logOut(answered[0]!.cookie);
    const later = await t.post('/api/v1/auth/login', person, headers);
    expect([later.status, sessionOf(later) === sessionOf(answered[0]!)]).toEqual([200, false]);
    expect((await refresh(later.cookie)).status).toBe(200);
  });

  test('gives the cookie to TLS alone where that is asked for', async () => {
    await using production = await startAccountsTest({ settings: { production: true } });
    await production.post('/api/v1/auth/register', person);
    const { headers } = await production.post('/api/v1/auth/login', person);
    expect(headers.getSetCookie()[0]).toContain('; Secure');
  });
});

describe('a refresh token', () => {
  let cookie: string | undefined;
  beforeEach(async () => {
    ({ cookie } = await logIn());
  });

  test('is changed for a new one, again and again', async () => {
    for (let round = 0; round < 3; round++) {
      const answer = await refresh(cookie);
      expect([answer.status, typeof answer.body.data['accessToken']]).toEqual([200, 'string']);
      expect(answer.cookie).not.toBe(cookie);
      cookie = answer.cookie;
    }
  });

  test('wins over the cookie of an earlier version, which browsers send after it and which is then deleted', async () => {
    const old = cookie!;
    // Path=/ of the earlier version: the browser has only that one, and keeps it beside the new one.
    const first = await refresh(old);
    expect(first.headers.getSetCookie()).toEqual([expect.stringContaining('; Path=/api/v1/auth;')]);
    const second = await refresh(`${first.cookie}; refreshToken=${old}`);
    expect([second.status, second.headers.getSetCookie()]).toEqual([
      200,
      [
        expect.stringMatching(/^refreshToken=; Max-Age=0; Path=\/;/),
        expect.stringMatching(/^refreshToken=[^;]+; Max-Age=3600; Path=\/api\/v1\/auth;/),
      ],
    ]);
  });

  test('that another tab has just exchanged is refused with 409, and the session stays valid', async () => {
    const next = await refresh(cookie);
    const late = await refresh(cookie);
    expect([late.status, late.body.code, late.cookie, late.headers.get('retry-after')]).toEqual([
      409,
      'already_refreshed',
      undefined,
      '1',
    ]);
    expect((await refresh(next.cookie)).status).toBe(200);
  });

  test('that is used 20 times at once works once, and the session stays valid', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(cookie)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ body }) => body.code === 'already_refreshed')).toHaveLength(19);
    expect((await refresh(answers.find(({ status }) => status === 200)?.cookie)).status).toBe(200);
  });

  test('that is used again more than 10 s after it was changed ends its session', async () => {
    const { spent, newest } = await sessionRefreshedBefore(10_001);
    const reused = await refresh(spent);
    expect([reused.status, reused.body.code, reused.cookie]).toEqual([401, 'token_reused', undefined]);
    const rightful = await refresh(newest);
    expect([rightful.status, rightful.body.code]).toEqual([401, 'session_revoked']);
    expect((await refresh(spent)).body.code).toBe('session_revoked');
  });

  test('that was exchanged twice in a moment, by other tabs, is refused with 409, and the session stays valid', async () => {
    const next = await refresh(cookie);
    const newest = await refresh(next.cookie);
    expect((await refresh(cookie)).body.code).toBe('already_refreshed');
    expect((await refresh(newest.cookie)).status).toBe(200);
  });

  test('is not refused because another, or none, was refused under the same idempotency key', async () => {
    const headers = { 'idempotency-key': 'the-same-for-all-refreshes' };
    expect((await refresh(undefined, headers)).status).toBe(401);
    expect((await refresh('nonsense', headers)).status).toBe(401);
    expect((await refresh(cookie, headers)).status).toBe(200);
  });

  test('leaves other sessions of its user alone', async () => {
    const other = await logIn();
    const { spent } = await sessionRefreshedBefore(10_001);
    expect((await refresh(spent)).body.code).toBe('token_reused');
    expect((await refresh(other.cookie)).status).toBe(200);
  });

  test('whose answer was lost gives tokens again under the same key, and no secret is kept for that', async () => {
    const key = { 'idempotency-key': v7() };
    const lost = await refresh(cookie, key);
    const again = await refresh(cookie, key);
    expect([lost.status, again.status]).toEqual([200, 200]);
    expect((await refresh(again.cookie)).status).toBe(200);
    const { rows } = await t.pool.query<{ status: number | null; body: Buffer | null }>(
      'select status, body from reelstream.idempotency where key = $1',
      [key['idempotency-key']],
    );
    expect(rows).toEqual([{ status: null, body: null }]);
  });

  test('from a retry is spent when the session was refreshed again before the retry', async () => {
    const key = { 'idempotency-key': v7() };
    const first = await refresh(cookie, key);
    const second = await refresh(first.cookie);
    await refresh(second.cookie);
    const late = await refresh(cookie, key);
    expect((await refresh(late.cookie)).body.code).toBe('already_refreshed');
  });

  test('is changed each time by a client that names all its refreshes alike', async () => {
    const key = { 'idempotency-key': v7() };
    for (let round = 0; round < 3; round++) {
      const answer = await refresh(cookie, key);
      expect(answer.status).toBe(200);
      cookie = answer.cookie;
    }
    expect((await refresh(cookie)).status).toBe(200);
  });

  test.each([
    ['is missing', () => undefined, 'refresh_token_missing'],
    ['is nonsense', () => 'abc', 'refresh_token_invalid'],
    [
      'is an access token',
      () => t.tokens.access({ id: 'u', name: 'n', username: 'n', email: 'e', role: 'user' }, new Date()),
      'refresh_token_invalid',
    ],
    [
      'has expired',
      () =>
        t.tokens.refresh({ sessionId: v7(), userId: registered.body.data['id'] as string, revision: 0 }, new Date(0)),
      'refresh_token_expired',
    ],
    [
      'names a session that never was',
      () =>
        t.tokens.refresh({ sessionId: v7(), userId: registered.body.data['id'] as string, revision: 0 }, new Date()),
      'session_unknown',
    ],
    [
      'names a user who never was',
      () => t.tokens.refresh({ sessionId: v7(), userId: v7(), revision: 0 }, new Date()),
      'session_unknown',
    ],
  ])('that %s is refused', async (_what, token, code) => {
    const { status, body } = await refresh(token());
    expect([status, body.code]).toEqual([401, code]);
  });
});

describe('logging out', () => {
  test('ends the session and takes the cookie away', async () => {
    const { cookie } = await logIn();
    const { status, headers } = await logOut(cookie);
    expect([status, headers.getSetCookie()]).toEqual([
      200,
      [
        expect.stringMatching(/^refreshToken=; Max-Age=0; Path=\/;/),
        expect.stringMatching(/^refreshToken=; Max-Age=0; Path=\/api\/v1\/auth;/),
      ],
    ]);
    const { status: refused, body } = await refresh(cookie);
    expect([refused, body.code]).toEqual([401, 'session_revoked']);
  });

  test('twice, without a cookie, or with a bad one is fine', async () => {
    const { cookie } = await logIn();
    await logOut(cookie);
    expect([(await logOut(cookie)).status, (await logOut(undefined)).status, (await logOut('abc')).status]).toEqual([
      200, 200, 200,
    ]);
  });

  test('with a token that was changed already still ends the session', async () => {
    const { cookie } = await logIn();
    const next = await refresh(cookie);
    await logOut(cookie);
    expect((await refresh(next.cookie)).body.code).toBe('session_revoked');
  });
});
