import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 } from 'uuid';
import { startAccountsTest, type AccountsTest } from '../../../tests/support/accounts.ts';
import type { DomainEvent, RecordedEvent } from '../../core/event.ts';
import type { AuthenticatedUser } from '../../http/route.ts';
import { userStream } from './decider.ts';
import { reservationStream } from './readAccount.ts';

const REGISTER = '/api/v1/auth/register';
const LOGIN = '/api/v1/auth/login';

let t: AccountsTest;
beforeAll(async () => {
  t = await startAccountsTest();
});
afterAll(async () => {
  await t[Symbol.asyncDispose]();
});

let people = 0;
function someone(changes: object = {}): { name: string; username: string; email: string; password: string } {
  people += 1;
  return {
    name: 'Some One',
    username: `someone${people}`,
    email: `someone${people}@example.org`,
    password: 'fahim123@',
    ...changes,
  };
}

async function eventsOf(stream: string): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const event of t.store.readStream(stream)) events.push(event);
  return events;
}

const emailStream = (email: string): string => reservationStream('email', email, t.nameHash);
const usernameStream = (username: string): string => reservationStream('username', username, t.nameHash);

async function record(stream: string, event: DomainEvent): Promise<void> {
  await t.store.append(stream, [{ ...event, id: v7(), metadata: { correlationId: 'test', schemaVersion: 0 } }], 'any');
}

/** What a registration leaves behind that died after it had reserved both names. */
async function leaveHalfDone(
  { email, username }: { email: string; username: string },
  secondsAgo: number,
): Promise<string> {
  const userId = v7();
  const data = { userId, at: new Date(Date.now() - secondsAgo * 1000).toISOString() };
  await record(emailStream(email), { type: 'EmailReserved', data });
  await record(usernameStream(username), { type: 'UsernameReserved', data });
  return userId;
}

describe('registering', () => {
  test('answers with the new user, whom the next query knows', async () => {
    const person = someone();
    const { status, headers, body } = await t.post(REGISTER, person);
    expect(status).toBe(201);
    const { name, username, email } = person;
    expect(body.data).toEqual({
      id: expect.any(String),
      name,
      username,
      email,
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
    });
    expect(BigInt(headers.get('x-event-position') ?? '0')).toBeGreaterThan(0n);
    expect(headers.get('x-projection-behind')).toBeNull();
    const { rows } = await t.pool.query('select username from accounts.users where id = $1', [body.data['id']]);
    expect(rows).toEqual([{ username }]);
  });

  test('leaves nothing personal in the log that can be read without the key', async () => {
    const person = someone({ name: 'Grace Hopper', email: 'grace.hopper@example.org', username: 'amazing-grace' });
    const { body } = await t.post(REGISTER, person);
    const { rows } = await t.pool.query<{ log: string }>(
      `select string_agg(to_jsonb(e)::text, ' ') as log from reelstream.events e`,
    );
    expect(rows[0]?.log).toContain(body.data['id']);
    expect(rows[0]?.log).not.toMatch(/grace|hopper|argon2/i);
  });

  test.each([
    [{ name: 'ab' }, ['name']],
    [{ username: 'x'.repeat(51) }, ['username']],
    [{ name: '  ab  ' }, ['name']],
    [{ name: ' \u200b\u202e\n ' }, ['name']],
    [{ username: 'turned\u202earound' }, ['username']],
    [{ username: '\u2800\u2800\u2800' }, ['username']],
    [{ username: '\u3164\u3164\u3164' }, ['username']],
    [{ email: 'nowhere' }, ['email']],
    [{ password: 'a1!' }, ['password']],
    [{ password: 'abcdef!' }, ['password']],
    [{ password: '123456!' }, ['password']],
    [{ password: 'abc123' }, ['password']],
    [{ password: `a1!${'x'.repeat(198)}` }, ['password']],
    [{ name: undefined, password: 7, email: null }, ['email', 'name', 'password']],
  ])('refuses %p with a message for each field', async (changes, fields) => {
    const { status, body } = await t.post(REGISTER, someone(changes));
    expect([status, body.code, body.errorMessages.map(({ path }) => path).sort()]).toEqual([
      400,
      'validation_failed',
      fields,
    ]);
  });

  test.each(['Zoë Ångström', '山田 太郎', "O'Brien-Smith Jr.", '👩‍🚀 astro', 'می‌خواهم'])(
    'takes the name %s as it is',
    async (name) => {
      const { status, body } = await t.post(REGISTER, someone({ name }));
      expect([status, body.data?.['name']]).toEqual([201, name]);
    },
  );

  test.each([
    ['new\nline', 'new line'],
    ['  Zoe\u0308 \u202eAngstrom ', 'Zoë Angstrom'],
  ])('cleans the name %j', async (sent, name) => {
    const { status, body } = await t.post(REGISTER, someone({ name: sent }));
    expect([status, body.data['name']]).toEqual([201, name]);
  });

  test('counts characters, not the units that they are stored in', async () => {
    expect((await t.post(REGISTER, someone({ name: '🚀'.repeat(50) }))).status).toBe(201);
    expect((await t.post(REGISTER, someone({ name: '🚀'.repeat(51) }))).status).toBe(400);
  });

  test('knows an e-mail and a username again however they are written, and names the e-mail first', async () => {
    const person = someone({ email: 'Mixed.Case@Example.org', username: 'MixedCase' });
    await t.post(REGISTER, person);
    const sameEmail = await t.post(REGISTER, someone({ email: ' mixed.case@EXAMPLE.org' }));
    expect([sameEmail.status, sameEmail.body.code, sameEmail.body.errorMessages[0]?.path]).toEqual([
      409,
      'email_taken',
      'email',
    ]);
    for (const username of ['ＭixedCASE', 'mixed\u00adcase', 'mixed\u200ccase', '\ufe0fmixedcase', 'mixedcase\u3164']) {
      const sameName = await t.post(REGISTER, someone({ username }));
      expect([sameName.status, sameName.body.code, sameName.body.errorMessages[0]?.path]).toEqual([
        409,
        'username_taken',
        'username',
      ]);
    }
    expect((await t.post(REGISTER, someone({ email: person.email, username: person.username }))).body.code).toBe(
      'email_taken',
    );
  });

  test('that fails for its username leaves the e-mail free', async () => {
    const first = someone();
    await t.post(REGISTER, first);
    const second = someone({ username: first.username });
    expect((await t.post(REGISTER, second)).body.code).toBe('username_taken');
    expect((await t.post(REGISTER, { ...second, username: `${second.username}-again` })).status).toBe(201);
  });

  test('of 20 at once with the same e-mail has one winner, whose password it is', async () => {
    const email = someone().email;
    const all = Array.from({ length: 20 }, (_, index) => someone({ email, password: `fahim123@${index}` }));
    const answers = await Promise.all(all.map((person) => t.post(REGISTER, person)));
    const winners = all.filter((_, index) => answers[index]?.status === 201);
    expect(winners).toHaveLength(1);
    expect(answers.filter(({ status, body }) => status === 409 && body.code === 'email_taken')).toHaveLength(19);
    expect((await t.post(LOGIN, { email, password: winners[0]?.password })).status).toBe(200);
    // The losers' usernames were never touched.
    const loser = all.find((person) => person !== winners[0]);
    expect((await t.post(REGISTER, someone({ username: loser?.username }))).status).toBe(201);
  });

  test('of 20 at once with the same username has one winner, and every loser gets another username with the same e-mail', async () => {
    const { username } = someone();
    const all = Array.from({ length: 20 }, () => someone({ username }));
    const answers = await Promise.all(all.map((person) => t.post(REGISTER, person)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    const losers = all.filter((_, index) => answers[index]?.status !== 201);
    const again = await Promise.all(
      losers.map((person, index) => t.post(REGISTER, { ...person, username: `${username}-${index}` })),
    );
    expect(again.map(({ status }) => status)).toEqual(Array<number>(19).fill(201));
  });
});

describe('a registration that died half-way', () => {
  test('keeps its names for a minute', async () => {
    const person = someone();
    await leaveHalfDone(person, 50);
    expect((await t.post(REGISTER, person)).body.code).toBe('email_taken');
  });

  test('loses them after that, and cannot be brought to its end any more', async () => {
    const person = someone();
    const slow = await leaveHalfDone(person, 70);
    expect((await t.post(REGISTER, person)).status).toBe(201);
    expect((await eventsOf(userStream(slow))).map(({ type }) => type)).toEqual(['RegistrationAbandoned']);
    const lateEvent = {
      type: 'UserRegistered',
      data: { userId: slow, ...person, passwordHash: '', at: new Date().toISOString() },
    };
    const append = t.store.append(
      userStream(slow),
      [{ ...lateEvent, id: v7(), metadata: { correlationId: 'test', schemaVersion: 0 } }],
      'none',
    );
    await expect(append).rejects.toThrow(/revision/);
  });

  test('that 20 others want at once goes to one of them', async () => {
    const person = someone();
    await leaveHalfDone(person, 70);
    const answers = await Promise.all(Array.from({ length: 20 }, () => t.post(REGISTER, person)));
    expect(answers.map(({ status }) => status).filter((status) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status, body }) => status === 409 && /_taken$/.test(body.code))).toHaveLength(19);
    expect((await t.post(LOGIN, person)).status).toBe(200);
  });

  test('is brought to its end by a retry with the same key', async () => {
    const person = someone();
    const headers = { 'idempotency-key': v7() };
    const first = await t.post(REGISTER, person, headers);
    const again = await t.post(REGISTER, person, headers);
    expect([again.status, again.body.data]).toEqual([201, first.body.data]);
    expect(again.headers.get('idempotent-replay')).toBeNull();
    expect(await eventsOf(emailStream(person.email))).toHaveLength(1);
    const other = await t.post(REGISTER, { ...person, password: 'another1!' }, headers);
    expect([other.status, other.body.code]).toEqual([422, 'idempotency_key_reused']);
  });
});

describe('oneself', () => {
  test('is shown with one’s videos and without the password', async () => {
    const person = someone();
    const { body: registered } = await t.post(REGISTER, person);
    const { body: login } = await t.post(LOGIN, person);
    const authorization = `Bearer ${login.data['accessToken'] as string}`;
    const { status, body } = await t.get('/api/v1/auth/me', { authorization });
    expect([status, body.data]).toEqual([200, { ...registered.data, videos: [] }]);
  });

  test('is found in the log as long as the read model does not have one', async () => {
    const { body } = await t.post(REGISTER, someone());
    await t.pool.query('delete from accounts.users where id = $1', [body.data['id']]);
    const user = body.data as unknown as AuthenticatedUser;
    const me = await t.get('/api/v1/auth/me', { authorization: `Bearer ${t.tokens.access(user, new Date())}` });
    expect(me.body.data).toEqual({ ...body.data, videos: [] });
  });

  test('waits for a position that the client has seen, and says so when it does not come', async () => {
    const person = someone();
    const { headers, body } = await t.post(REGISTER, person);
    const user = body.data as unknown as AuthenticatedUser;
    const authorization = `Bearer ${t.tokens.access(user, new Date())}`;
    const position = headers.get('x-event-position') ?? '';
    expect((await t.get('/api/v1/auth/me', { authorization, 'x-min-position': position })).status).toBe(200);
    const ahead = await t.get('/api/v1/auth/me', { authorization, 'x-min-position': `${BigInt(position) + 1_000n}` });
    expect([ahead.status, ahead.body.code, ahead.headers.get('retry-after')]).toEqual([503, 'projection_behind', '1']);
  });

  test('is nobody without a token, or with one of a user who does not exist', async () => {
    expect((await t.get('/api/v1/auth/me')).body.code).toBe('authentication_required');
    const nobody = { id: v7(), name: 'G', username: 'g', email: 'g@example.org', role: 'user' } as const;
    const ghost = t.tokens.access(nobody, new Date());
    const { status, body } = await t.get('/api/v1/auth/me', { authorization: `Bearer ${ghost}` });
    expect([status, body.code]).toEqual([401, 'user_unknown']);
  });
});
