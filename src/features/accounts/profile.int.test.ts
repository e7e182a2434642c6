import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 } from 'uuid';
import { startAccountsTest, type AccountsTest, type Answered } from '../../../tests/support/accounts.ts';
import { fc } from '../../../tests/support/property.ts';
import type { CommandContext } from '../../core/commandContext.ts';
import type { DomainEvent, RecordedEvent } from '../../core/event.ts';
import { RevisionConflict, type EventStore } from '../../core/eventStore.ts';
import { changeProfile } from './changeProfile.ts';
import { userStream } from './decider.ts';
import { normalised } from './names.ts';
import { findUserByEmail, findUserByUsername, readReservation, readUser, reservationStream } from './readAccount.ts';

let t: AccountsTest;
beforeAll(async () => {
  t = await startAccountsTest({ settings: { adminEmails: ['listed@example.org'] } });
});
afterAll(async () => {
  await t[Symbol.asyncDispose]();
});

interface Member {
  readonly id: string;
  readonly name: string;
  readonly username: string;
  readonly email: string;
  readonly password: string;
  readonly authorization: string;
}

let people = 0;
async function member(changes: { username?: string; email?: string } = {}): Promise<Member> {
  people += 1;
  const person = {
    name: 'Some One',
    username: `member${people}`,
    email: `member${people}@example.org`,
    password: 'fahim123@',
    ...changes,
  };
  const { body } = await t.post('/api/v1/auth/register', person);
  return { ...person, id: body.data['id'] as string, authorization: await logIn(person) };
}

async function logIn({ email, password }: { email: string; password: string }): Promise<string> {
  const { body } = await t.post('/api/v1/auth/login', { email, password });
  return `Bearer ${body.data['accessToken'] as string}`;
}

const change = ({ authorization }: Member, body: object, headers: Record<string, string> = {}): Promise<Answered> =>
  t.send('PATCH', '/api/v1/auth/me', body, { authorization, ...headers });
const outcome = ({ status, body }: Answered): unknown => [status, body.code];

async function eventsOf(stream: string): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const event of t.store.readStream(stream)) events.push(event);
  return events;
}
const typesOf = async (stream: string): Promise<string[]> => (await eventsOf(stream)).map(({ type }) => type);
const usernameStream = (username: string): string => reservationStream('username', username, t.nameHash);

async function record(stream: string, event: DomainEvent): Promise<void> {
  await t.store.append(stream, [{ ...event, id: v7(), metadata: { correlationId: 'test', schemaVersion: 0 } }], 'any');
}
const agoIso = (seconds: number): string => new Date(Date.now() - seconds * 1_000).toISOString();

describe('a change of the profile', () => {
  test('is in its answer and in the next query, and changes nothing else', async () => {
    const ann = await member();
    const changed = await change(ann, { name: '  Anne\u202e Other ', username: 'Ann.Other' });
    expect([changed.status, changed.body.data]).toMatchObject([
      200,
      { id: ann.id, name: 'Anne Other', username: 'Ann.Other', email: ann.email },
    ]);
    expect(changed.headers.get('x-projection-behind')).toBeNull();
    const me = await t.get('/api/v1/auth/me', { authorization: ann.authorization });
    expect(me.body.data).toEqual({ ...changed.body.data, videos: [] });
    expect(String(me.body.data['updatedAt']) > String(me.body.data['createdAt'])).toBe(true);
    expect(await typesOf(userStream(ann.id))).toEqual(['UserRegistered', 'NameChanged', 'UsernameChanged']);
  });

  test('frees the old username, and keeps the new one from others', async () => {
    const [ann, bob] = [await member(), await member()];
    const username = `${ann.username}-new`;
    expect(outcome(await change(ann, { username }))).toEqual([200, undefined]);
    expect(outcome(await change(bob, { username: username.toUpperCase() }))).toEqual([409, 'username_taken']);
    expect((await change(bob, { username: ann.username })).status).toBe(200);
    expect(await findUserByUsername(t.store, t.nameHash, ann.username)).toMatchObject({ id: bob.id });
    expect(await findUserByUsername(t.store, t.nameHash, bob.username)).toBeUndefined();
    expect((await t.get(`/api/v1/video?username=${ann.username}`)).body.meta?.['user']).toMatchObject({ id: bob.id });
  });

  test('of the case of a name is no new name', async () => {
    const ann = await member();
    expect((await change(ann, { username: ann.username.toUpperCase() })).body.data['username']).toBe(
      ann.username.toUpperCase(),
    );
    expect(await typesOf(usernameStream(ann.username))).toEqual(['UsernameReserved']);
  });

  test('to what it is already appends nothing', async () => {
    const ann = await member();
    const { status, body } = await change(ann, { name: ann.name, username: ann.username });
    expect([status, body.data['username']]).toEqual([200, ann.username]);
    expect(await typesOf(userStream(ann.id))).toEqual(['UserRegistered']);
  });

  test.each([
    [{}, ['']],
    [{ name: 'ab' }, ['name']],
    [{ username: 'turned\u202earound', email: 'nowhere' }, ['username', 'email', 'password']],
    [{ email: 'new@example.org' }, ['password']],
  ])('is refused for %p', async (body, fields) => {
    const answer = await change(await member(), body);
    expect([answer.status, answer.body.code]).toEqual([400, 'validation_failed']);
    expect(answer.body.errorMessages.map(({ path }) => path)).toEqual(fields);
  });

  test('needs a user', async () => {
    expect(outcome(await t.send('PATCH', '/api/v1/auth/me', { name: 'Nobody' }))).toEqual([
      401,
      'authentication_required',
    ]);
  });

  test('leaves nothing personal in the log that can be read without the key', async () => {
    const ann = await member();
    const email = 'hedy.lamarr@example.org';
    await change(ann, { name: 'Hedy Lamarr', username: 'hedy-lamarr', email, password: ann.password });
    const { rows } = await t.pool.query<{ log: string }>(
      `select string_agg(to_jsonb(e)::text, ' ') as log from reelstream.events e`,
    );
    expect(rows[0]?.log).toContain('EmailChanged');
    expect(rows[0]?.log).not.toMatch(/hedy|lamarr/i);
  });
});

describe('a change of the e-mail address', () => {
  test('needs the password, and moves the login to the new address', async () => {
    const ann = await member();
    const email = `new-${ann.email}`;
    const wrong = await change(ann, { email, password: 'wrong-1!' });
    expect([...(outcome(wrong) as unknown[]), wrong.body.errorMessages]).toEqual([
      403,
      'password_wrong',
      [{ path: 'password', message: 'The password is wrong.' }],
    ]);
    expect((await change(ann, { email, password: ann.password })).body.data['email']).toBe(email);
    const login = (address: string): Promise<Answered> =>
      t.post('/api/v1/auth/login', { email: address, password: ann.password });
    expect([(await login(email)).status, (await login(ann.email)).status]).toEqual([200, 401]);
    expect((await t.post('/api/v1/auth/register', { ...ann, username: `${ann.username}-2` })).status).toBe(201);
  });

  test('to one that is taken changes nothing, and names the e-mail first', async () => {
    const [ann, bob] = [await member(), await member()];
    const wanted = { email: bob.email, username: bob.username, name: 'Another', password: ann.password };
    expect(outcome(await change(ann, wanted))).toEqual([409, 'email_taken']);
    expect(await typesOf(userStream(ann.id))).toEqual(['UserRegistered']);
  });

  test('leaves the new address free when the username is taken', async () => {
    const [ann, bob] = [await member(), await member()];
    const email = `free-${ann.email}`;
    const refused = await change(ann, { email, username: bob.username, password: ann.password });
    expect(outcome(refused)).toEqual([409, 'username_taken']);
    expect(outcome(await change(bob, { email, password: bob.password }))).toEqual([200, undefined]);
  });

  test('that makes its user an admin is refused', async () => {
    const admin = await member({ email: 'Listed@example.org' });
    const away = await change(admin, { email: 'away@example.org', password: admin.password });
    expect(outcome(away)).toEqual([409, 'admin_listed']);
    expect((await change(admin, { email: 'LISTED@example.org', password: admin.password })).status).toBe(200);
  });
});

describe('a name that several want at once', () => {
  test('goes to one of 12 users', async () => {
    const users = await Promise.all(Array.from({ length: 12 }, () => member()));
    const username = 'wanted-by-all';
    const answers = await Promise.all(users.map((user) => change(user, { username })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ body }) => body.code === 'username_taken')).toHaveLength(11);
    const winner = users[answers.findIndex(({ status }) => status === 200)]!;
    expect(await findUserByUsername(t.store, t.nameHash, username)).toMatchObject({ id: winner.id });
  });

  test('is free again after one user has taken one of 8 and left the others', async () => {
    const [ann, bob] = [await member(), await member()];
    const names = Array.from({ length: 8 }, (_, n) => `one-of-many-${n}`);
    const answers = await Promise.all(names.map((username) => change(ann, { username })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const user = await readUser(t.store, ann.id);
    const kept = user.status === 'registered' ? user.username : undefined;
    for (const username of names.filter((each) => each !== kept))
      expect([username, outcome(await change(bob, { username }))]).toEqual([username, [200, undefined]]);
  });

  test('under one Idempotency-Key is changed once', async () => {
    const ann = await member();
    const headers = { 'idempotency-key': v7() };
    const username = `${ann.username}-once`;
    const answers = [await change(ann, { username }, headers), await change(ann, { username }, headers)];
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(await typesOf(userStream(ann.id))).toEqual(['UserRegistered', 'UsernameChanged']);
  });
});

describe('a change that ended half-way', () => {
  test('keeps the new name for a minute, and loses it after that to who asks, however late it goes on', async () => {
    const [ann, bob] = [await member(), await member()];
    const [fresh, old] = [`${ann.username}-fresh`, `${ann.username}-old`];
    await record(usernameStream(fresh), { type: 'UsernameReserved', data: { userId: ann.id, at: agoIso(50) } });
    await record(usernameStream(old), { type: 'UsernameReserved', data: { userId: ann.id, at: agoIso(70) } });
    expect(outcome(await change(bob, { username: fresh }))).toEqual([409, 'username_taken']);
    expect((await change(bob, { username: old })).status).toBe(200);
    expect(await typesOf(userStream(ann.id))).toEqual(['UserRegistered', 'ProfileChangeAbandoned']);
    const data = { userId: ann.id, username: old, at: agoIso(0) };
    const event = { id: v7(), type: 'UsernameChanged', data, metadata: { correlationId: 'test', schemaVersion: 0 } };
    await expect(t.store.append(userStream(ann.id), [event], 0)).rejects.toThrow(RevisionConflict);
    // Neither name leads to the user before the change has happened.
    expect(await findUserByUsername(t.store, t.nameHash, fresh)).toBeUndefined();
  });

  test('before it released the old name leaves it to who asks', async () => {
    const userId = v7();
    const [before, after] = [`half-${userId.slice(-6)}`, `done-${userId.slice(-6)}`];
    const email = `${before}@example.org`;
    const at = agoIso(120);
    await record(usernameStream(before), { type: 'UsernameReserved', data: { userId, at } });
    await record(userStream(userId), {
      type: 'UserRegistered',
      data: { userId, name: 'Half Done', username: before, email, passwordHash: 'x', at },
    });
    await record(usernameStream(after), { type: 'UsernameReserved', data: { userId, at } });
    await record(userStream(userId), { type: 'UsernameChanged', data: { userId, username: after, at } });
    expect(await findUserByUsername(t.store, t.nameHash, before)).toBeUndefined();
    expect(await findUserByUsername(t.store, t.nameHash, after)).toMatchObject({ id: userId });
    expect((await change(await member(), { username: before })).status).toBe(200);
  });

  test('does not let its new address log in', async () => {
    const ann = await member();
    const email = `reserved-${ann.email}`;
    await record(reservationStream('email', email, t.nameHash), {
      type: 'EmailReserved',
      data: { userId: ann.id, at: agoIso(0) },
    });
    expect(await findUserByEmail(t.store, t.nameHash, email)).toBeUndefined();
    expect((await t.post('/api/v1/auth/login', { email, password: ann.password })).status).toBe(401);
  });
});

test('however changes meet, and wherever they are cut off, no name has two users and every user has the own names', async () => {
  const users = await Promise.all(Array.from({ length: 3 }, () => member()));
  let run = 0;
  const step = fc.record({
    user: fc.nat({ max: 2 }),
    name: fc.nat({ max: 3 }),
    /** Appends after which the process ends; many: none. */
    appends: fc.oneof(fc.nat({ max: 5 }), fc.constant(1_000)),
    /** Seconds later than the round before. */
    later: fc.constantFrom(0, 30, 61),
  });
  const rounds = fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(rounds, async (all) => {
      run += 1;
      let now = Date.now();
      for (const round of all) {
        now += Math.max(...round.map(({ later }) => later)) * 1_000;
        await Promise.allSettled(
          round.map(({ user, name, appends }) => {
            const context: CommandContext = { correlationId: 'test', now: new Date(now) };
            const reservations = { store: endingAfter(t.store, appends), nameHash: t.nameHash };
            return changeProfile(reservations, users[user]!.id, { username: `p${run}-${name}` }, context);
          }),
        );
      }
      const names: string[] = [];
      for (const { id } of users) {
        const user = await readUser(t.store, id);
        if (user.status !== 'registered') throw new Error('the user is gone');
        const { holder } = await readReservation(t.store, 'username', usernameStream(user.username));
        expect(holder?.userId).toBe(id);
        names.push(normalised(user.username));
      }
      expect(new Set(names).size).toBe(users.length);
    }),
    { numRuns: 25 },
  );
});

/** A store whose process ends after so many appends. */
function endingAfter(store: EventStore, appends: number): Pick<EventStore, 'append' | 'readStream'> {
  let left = appends;
  return {
    readStream: (stream, options) => store.readStream(stream, options),
    append: (...append) => {
      if (left-- <= 0) return Promise.reject(new Error('the process has ended'));
      return store.append(...append);
    },
  };
}
