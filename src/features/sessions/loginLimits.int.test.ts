import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startAccountsTest, type AccountsTest, type Answered } from '../../../tests/support/accounts.ts';

const minute = (points: number): { points: number; seconds: number } => ({ points, seconds: 60 });
const ada = { name: 'Ada Lovelace', username: 'ada', email: 'ada@example.org', password: 'engine-1843' };

let t: AccountsTest;
const post = (path: string, body: unknown, from: string, cookie?: string): Promise<Answered> =>
  t.post(path, body, { 'x-forwarded-for': from, ...(cookie !== undefined && { cookie }) });
const logIn = (from: string, password = ada.password, cookie?: string, email = ada.email): Promise<Answered> =>
  post('/api/v1/auth/login', { email, password }, from, cookie);
const refresh = (from: string, token: string): Promise<Answered> =>
  post('/api/v1/auth/refresh-token', undefined, from, `refreshToken=${token}`);
const deviceOf = ({ headers }: Answered): string =>
  headers
    .getSetCookie()
    .find((each) => each.startsWith('device='))!
    .split(';')[0]!;
const outcome = ({ status, body }: Answered): unknown => [status, body.code];

const [HOME, ELSEWHERE, ATTACKER] = ['203.0.113.1', '203.0.113.2', '198.51.100.9'];
const REFUSED = [429, 'too_many_guesses'];

describe('limits of an address', () => {
  beforeEach(async () => {
    t = await startAccountsTest({
      limits: { login: minute(4), refresh: minute(3), registration: { points: 2, seconds: 3_600 } },
    });
    await post('/api/v1/auth/register', ada, HOME);
  });
  afterEach(async () => t[Symbol.asyncDispose]());

  test('wrong logins use up the logins of their address, and no refreshes', async () => {
    let { cookie: token } = await logIn(HOME);
    for (let guess = 0; guess < 3; guess++) await logIn(HOME, 'wrong-1!');
    expect(outcome(await logIn(HOME))).toEqual([429, 'rate_limited']);
    for (let turn = 0; turn < 3; turn++) {
      const answer = await refresh(HOME, token!);
      expect(answer.status).toBe(200);
      token = answer.cookie;
    }
    expect((await logIn(ELSEWHERE)).status).toBe(200);
  });

  test('an owner on a known device logs in also when others have used up the logins of the address', async () => {
    const device = deviceOf(await logIn(HOME));
    for (let guess = 0; guess < 6; guess++) await logIn(HOME, 'wrong-1!', undefined, `somebody${guess}@example.org`);
    expect(outcome(await logIn(HOME))).toEqual([429, 'rate_limited']);
    expect((await logIn(HOME, ada.password, device)).status).toBe(200);
    // Known to one account only.
    expect(outcome(await logIn(HOME, 'wrong-1!', device, 'somebody@example.org'))).toEqual([429, 'rate_limited']);
  });

  test('refreshes count by session; a token that is none counts by address', async () => {
    const [one, other] = [await logIn(HOME), await logIn(HOME)];
    let token = one.cookie!;
    for (let turn = 0; turn < 3; turn++) token = (await refresh(turn === 0 ? HOME : ELSEWHERE, token)).cookie!;
    expect((await refresh(ELSEWHERE, token)).status).toBe(429);
    expect((await refresh(HOME, other.cookie!)).status).toBe(200);
    const bad = [1, 2, 3, 4].map(() => refresh(HOME, 'nonsense'));
    expect((await Promise.all(bad)).map(({ status }) => status).toSorted()).toEqual([401, 401, 401, 429]);
  });

  test('new accounts are limited per hour; malformed registrations do not count', async () => {
    const another = (n: number): object => ({ ...ada, username: `ada${n}`, email: `ada${n}@example.org` });
    for (let n = 0; n < 3; n++)
      expect((await post('/api/v1/auth/register', { ...another(n), password: '' }, HOME)).status).toBe(400);
    expect((await post('/api/v1/auth/register', another(1), HOME)).status).toBe(201);
    const refused = await post('/api/v1/auth/register', another(2), HOME);
    expect(outcome(refused)).toEqual([429, 'rate_limited']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3_000);
    expect(refused.body.message).toMatch(
      /^Too many accounts were registered from this address; try again in \d+ minutes\.$/,
    );
    expect((await post('/api/v1/auth/register', another(2), ELSEWHERE)).status).toBe(201);
  });
});

describe("guesses of one account's password", () => {
  beforeEach(async () => {
    t = await startAccountsTest({ limits: { guess: minute(3), accountGuess: minute(5) } });
    await post('/api/v1/auth/register', ada, HOME);
  });
  afterEach(async () => t[Symbol.asyncDispose]());

  const guess = (from: string, times: number, email = ada.email): Promise<unknown[]> =>
    Promise.all(Array.from({ length: times }, async () => outcome(await logIn(from, 'wrong-1!', undefined, email))));

  test('are refused from an address that has used up its own, also when they are sent at once and the last is right', async () => {
    const outcomes = await guess(ATTACKER, 6);
    expect(outcomes.filter((each) => (each as unknown[])[0] === 401)).toHaveLength(3);
    const right = await logIn(ATTACKER);
    expect(outcome(right)).toEqual(REFUSED);
    expect(Number(right.headers.get('retry-after'))).toBeGreaterThan(50);
    expect((await logIn(HOME)).status).toBe(200);
  });

  test('are refused in the same way where there is no such account', async () => {
    expect(await guess(ATTACKER, 4, 'nobody@example.org')).toEqual(await guess(ATTACKER, 4));
  });

  test('do not count when they are right', async () => {
    for (let turn = 0; turn < 5; turn++) expect((await logIn(HOME)).status).toBe(200);
  });

  test('count together with those of somebody who has a token, and are refused to both', async () => {
    const { body } = await logIn(HOME);
    const headers = { authorization: `Bearer ${body.data['accessToken'] as string}`, 'x-forwarded-for': ATTACKER };
    const change = (currentPassword: string): Promise<Answered> =>
      t.send('PUT', '/api/v1/auth/me/password', { currentPassword, newPassword: 'another-1!' }, headers);
    expect(outcome(await change('wrong-1!'))).toEqual([403, 'password_wrong']);
    const email = { email: 'other@example.org', password: 'wrong-1!' };
    expect(outcome(await t.send('PATCH', '/api/v1/auth/me', email, headers))).toEqual([403, 'password_wrong']);
    expect(outcome(await logIn(ATTACKER, 'wrong-1!'))).toEqual([401, 'invalid_credentials']);
    expect([outcome(await change(ada.password)), outcome(await logIn(ATTACKER))]).toEqual([REFUSED, REFUSED]);
    expect((await logIn(HOME)).status).toBe(200);
  });

  test('from many addresses never lock out an owner: neither on a known device nor, for one try, on a new one', async () => {
    const device = deviceOf(await logIn(HOME));
    for (let n = 0; n < 8; n++) await guess(`198.51.100.${n}`, 2);
    // The account is under attack now: an address has one try.
    expect(await guess('198.51.100.50', 2)).toEqual(expect.arrayContaining([[401, 'invalid_credentials'], REFUSED]));
    expect((await logIn(ELSEWHERE)).status).toBe(200);
    expect(outcome(await logIn(HOME, 'typing-error-1', device))).toEqual([401, 'invalid_credentials']);
    expect(outcome(await logIn(ATTACKER, 'typing-error-1', device))).toEqual([401, 'invalid_credentials']);
    expect((await logIn(HOME, ada.password, device)).status).toBe(200);
  });

  test('with the cookie of another account, or a forged one, count as those of an unknown device', async () => {
    const eve = { ...ada, username: 'eve', email: 'eve@example.org' };
    await post('/api/v1/auth/register', eve, ATTACKER);
    const device = deviceOf(await logIn(ATTACKER, eve.password, undefined, eve.email));
    for (const cookie of [device, `${device}x`, 'device=', 'device=a.b']) await logIn(ATTACKER, 'wrong-1!', cookie);
    expect(outcome(await logIn(ATTACKER, 'wrong-1!', device))).toEqual(REFUSED);
  });
});
