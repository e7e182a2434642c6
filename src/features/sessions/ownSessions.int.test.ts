import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { v7 } from 'uuid';
import { startAccountsTest, type AccountsTest, type Answered } from '../../../tests/support/accounts.ts';
import { userStream } from '../accounts/decider.ts';
import { sessionStream } from './decider.ts';

const SESSIONS = '/api/v1/auth/sessions';
const PASSWORD = '/api/v1/auth/me/password';
const REVOKED = [401, 'session_revoked'];
const OK = [200, undefined];

let t: AccountsTest;
beforeAll(async () => {
  t = await startAccountsTest();
});
afterAll(async () => {
  await t[Symbol.asyncDispose]();
});

interface Credentials {
  readonly email: string;
  readonly password: string;
}
interface LoggedIn {
  readonly id: string;
  readonly headers: { readonly authorization: string };
  readonly cookie: string;
}

let people = 0;
let ann: Credentials & { readonly id: string };
beforeEach(async () => {
  people += 1;
  const person = { email: `owner${people}@example.org`, password: 'fahim123@' };
  const { body } = await t.post('/api/v1/auth/register', { name: 'Ann', username: `owner${people}`, ...person });
  ann = { ...person, id: body.data['id'] as string };
});

async function logIn({ email, password }: Credentials = ann, userAgent = 'Test'): Promise<LoggedIn> {
  const { body, cookie } = await t.post('/api/v1/auth/login', { email, password }, { 'user-agent': userAgent });
  const token = body.data['accessToken'] as string;
  const { sid } = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { sid: string };
  return { id: sid, headers: { authorization: `Bearer ${token}` }, cookie: cookie! };
}

interface Listed {
  readonly id: string;
  readonly userAgent: string | null;
  readonly current: boolean;
  readonly createdAt: string;
  readonly lastUsedAt: string;
  readonly expiresAt: string;
}
async function list({ headers }: LoggedIn): Promise<Listed[]> {
  const { status, body } = await t.get(SESSIONS, headers);
  expect(status).toBe(200);
  return body.data as unknown as Listed[];
}
const idsOf = async (session: LoggedIn): Promise<string[]> => (await list(session)).map(({ id }) => id).toSorted();

const outcome = ({ status, body }: Answered): unknown => [status, body.code];
const me = async ({ headers }: LoggedIn): Promise<unknown> => outcome(await t.get('/api/v1/auth/me', headers));
const refresh = ({ cookie }: Pick<LoggedIn, 'cookie'>): Promise<Answered> =>
  t.post('/api/v1/auth/refresh-token', undefined, { cookie: `refreshToken=${cookie}` });
const revoke = (session: LoggedIn, id = ''): Promise<Answered> =>
  t.send('DELETE', id === '' ? SESSIONS : `${SESSIONS}/${id}`, undefined, session.headers);
const changePassword = (
  session: LoggedIn,
  currentPassword: string,
  newPassword: string,
  headers: Record<string, string> = {},
): Promise<Answered> => t.send('PUT', PASSWORD, { currentPassword, newPassword }, { ...session.headers, ...headers });

async function append(stream: string, type: string, data: object, schemaVersion = 0): Promise<void> {
  const event = { id: v7(), type, data, metadata: { correlationId: 'test', schemaVersion } };
  await t.store.append(stream, [event], 'any');
}

describe('the list of sessions', () => {
  test('has each login at once, last used first, with what the client says it is', async () => {
    const firefox = await logIn(ann, 'Firefox on a phone');
    const other = await logIn(ann, `x${'y'.repeat(400)}`);
    const sessions = await list(firefox);
    expect(sessions).toEqual([
      { ...common, id: other.id, userAgent: `x${'y'.repeat(299)}`, current: false },
      { ...common, id: firefox.id, userAgent: 'Firefox on a phone', current: true },
    ]);
    const answer = await refresh(firefox);
    expect(answer.status).toBe(200);
    const [first] = await list(other);
    expect([first!.id, first!.lastUsedAt > sessions[1]!.lastUsedAt, first!.createdAt]).toEqual([
      firefox.id,
      true,
      sessions[1]!.createdAt,
    ]);
  });
  const common = { createdAt: expect.any(String), lastUsedAt: expect.any(String), expiresAt: expect.any(String) };

  test('has no session of others, and none that ended or expired', async () => {
    const [one, ended] = [await logIn(), await logIn()];
    await t.post('/api/v1/auth/logout', undefined, { cookie: `refreshToken=${ended.cookie}` });
    const expired = v7();
    await append(sessionStream(expired), 'SessionStarted', {
      sessionId: expired,
      userId: ann.id,
      expiresAt: new Date(Date.now() - 1).toISOString(),
      userAgent: null,
      generation: 0,
      at: new Date(0).toISOString(),
    });
    expect(await idsOf(one)).toEqual([one.id]);
  });

  test('needs a token', async () => {
    expect(outcome(await t.get(SESSIONS))).toEqual([401, 'authentication_required']);
  });

  test('leaves nothing in the log that says which client it was', async () => {
    await logIn(ann, 'Planted-Client/1.0');
    const { rows } = await t.pool.query<{ log: string }>(
      `select string_agg(to_jsonb(e)::text, ' ') as log from reelstream.events e`,
    );
    expect(rows[0]!.log).toContain('SessionStarted');
    expect(rows[0]!.log).not.toContain('Planted-Client');
  });
});

describe('one session', () => {
  test('that is revoked from another one ends at once, and the others do not', async () => {
    const [mine, lost] = [await logIn(), await logIn()];
    expect((await revoke(mine, lost.id)).status).toBe(204);
    expect([await me(lost), outcome(await refresh(lost))]).toEqual([REVOKED, REVOKED]);
    expect([await me(mine), await idsOf(mine)]).toEqual([OK, [mine.id]]);
    expect((await revoke(mine, lost.id)).status).toBe(204);
    // Where no token is needed, it is as good as none.
    expect((await t.get('/api/v1/video', lost.headers)).status).toBe(200);
  });

  test('of another user, or one that never was, is not found', async () => {
    const mine = await logIn();
    const eve = { email: `eve${people}@example.org`, password: 'fahim123@' };
    await t.post('/api/v1/auth/register', { name: 'Eve', username: `eve${people}`, ...eve });
    const hers = await logIn(eve);
    for (const id of [mine.id, v7()]) expect(outcome(await revoke(hers, id))).toEqual([404, 'session_not_found']);
    expect(outcome(await revoke(mine, 'abc'))).toEqual([400, 'validation_failed']);
    expect(await me(mine)).toEqual(OK);
  });

  test('that logs out takes its access token with it', async () => {
    const mine = await logIn();
    await t.post('/api/v1/auth/logout', undefined, { cookie: `refreshToken=${mine.cookie}` });
    expect(await me(mine)).toEqual(REVOKED);
  });

  test('from before sessions said what they are is listed and refreshed', async () => {
    const sessionId = v7();
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    await appendAsVersion1(sessionId, { sessionId, userId: ann.id, expiresAt, at: new Date().toISOString() });
    const cookie = t.tokens.refresh({ sessionId, userId: ann.id, revision: 0 }, new Date());
    const mine = await logIn();
    expect(await list(mine)).toContainEqual(expect.objectContaining({ id: sessionId, userAgent: null }));
    expect((await refresh({ cookie })).status).toBe(200);
    expect((await revoke(mine)).status).toBe(204);
    expect(await idsOf(mine)).toEqual([mine.id]);
  });
});

/** Writes the event into the log without the codec. */
async function appendAsVersion1(sessionId: string, data: object): Promise<void> {
  const event = { id: v7(), type: 'SessionStarted', data, metadata: { correlationId: 'test', schemaVersion: 1 } };
  await t.rawStore.append(sessionStream(sessionId), [event], 'none');
}

describe('all other sessions', () => {
  test('end at once, and so does one that was being started or refreshed', async () => {
    const [mine, one, two] = [await logIn(), await logIn(), await logIn()];
    expect((await revoke(mine)).status).toBe(204);
    for (const other of [one, two])
      expect([await me(other), outcome(await refresh(other))]).toEqual([REVOKED, REVOKED]);
    expect([await me(mine), await idsOf(mine), (await refresh(mine)).status]).toEqual([OK, [mine.id], 200]);
    // A login that had read the user before.
    const sessionId = v7();
    const at = new Date();
    const expiresAt = new Date(at.getTime() + 3_600_000).toISOString();
    await append(sessionStream(sessionId), 'SessionStarted', {
      sessionId,
      userId: ann.id,
      expiresAt,
      userAgent: null,
      generation: 0,
      at: at.toISOString(),
    });
    const cookie = t.tokens.refresh({ sessionId, userId: ann.id, revision: 0 }, at);
    expect([outcome(await refresh({ cookie })), await idsOf(mine)]).toEqual([REVOKED, [mine.id]]);
  });

  test('are new again after another login, and end again', async () => {
    const mine = await logIn();
    await revoke(mine);
    const later = await logIn();
    expect(await idsOf(later)).toEqual([mine.id, later.id].toSorted());
    await revoke(later);
    expect([await me(mine), await me(later), await idsOf(later)]).toEqual([REVOKED, OK, [later.id]]);
  });
});

describe('a change of the password', () => {
  test('ends every other session, and the old password', async () => {
    const [mine, other] = [await logIn(), await logIn()];
    expect((await changePassword(mine, ann.password, 'another-1!')).status).toBe(204);
    expect([await me(other), outcome(await refresh(other)), await me(mine)]).toEqual([REVOKED, REVOKED, OK]);
    expect((await refresh(mine)).status).toBe(200);
    const login = (password: string): Promise<Answered> => t.post('/api/v1/auth/login', { email: ann.email, password });
    expect([(await login(ann.password)).status, (await login('another-1!')).status]).toEqual([401, 200]);
  });

  test('is refused for a wrong password, and for a new one that is too weak', async () => {
    const mine = await logIn();
    const wrong = await changePassword(mine, 'wrong-1!', 'another-1!');
    expect([...(outcome(wrong) as unknown[]), wrong.body.errorMessages[0]?.path]).toEqual([
      403,
      'password_wrong',
      'currentPassword',
    ]);
    const weak = await changePassword(mine, ann.password, 'another');
    expect([...(outcome(weak) as unknown[]), weak.body.errorMessages[0]?.path]).toEqual([
      400,
      'validation_failed',
      'newPassword',
    ]);
    expect([await me(mine), await me(await logIn())]).toEqual([OK, OK]);
  });

  test('that is repeated under its key succeeds again, also when its answer was lost', async () => {
    const mine = await logIn();
    const headers = { 'idempotency-key': v7() };
    expect((await changePassword(mine, ann.password, 'another-1!', headers)).status).toBe(204);
    await t.pool.query('delete from reelstream.idempotency');
    expect((await changePassword(mine, ann.password, 'another-1!', headers)).status).toBe(204);
    const types: string[] = [];
    for await (const { type } of t.store.readStream(userStream(ann.id))) types.push(type);
    expect(types).toEqual(['UserRegistered', 'PasswordChanged']);
  });

  test('of 6 at once succeeds for one, whose password it is then', async () => {
    const mine = await logIn();
    const passwords = Array.from({ length: 6 }, (_, n) => `another-${n}!`);
    const answers = await Promise.all(passwords.map((each) => changePassword(mine, ann.password, each)));
    const winners = passwords.filter((_, n) => answers[n]!.status === 204);
    expect(winners).toHaveLength(1);
    expect((await t.post('/api/v1/auth/login', { email: ann.email, password: winners[0] })).status).toBe(200);
  });
});
