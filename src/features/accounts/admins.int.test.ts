import { describe, expect, test } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { v7 } from 'uuid';
import { startAccountsTest, type AccountsTest, type Answered } from '../../../tests/support/accounts.ts';
import type { CommandContext } from '../../core/commandContext.ts';
import { toNewEvents } from '../../core/commandHandler.ts';
import type { FeatureSettings } from '../feature.ts';
import { createAdmins, type Admins } from './admins.ts';
import { readAdminStatus, type AdminStatus } from './adminStatus.ts';
import { userStream, type RegisteredUser } from './decider.ts';
import { createGrantToFirst } from './firstAccount.ts';
import { readUser } from './readAccount.ts';

type Settings = Partial<Pick<FeatureSettings, 'adminEmails' | 'firstUserIsAdmin'>>;

/** Accounts, and what a test asks about roles. */
class Rig implements AsyncDisposable {
  readonly admins: Admins;
  readonly #t: AccountsTest;
  readonly #adminEmails: readonly string[];

  private constructor(t: AccountsTest, adminEmails: readonly string[]) {
    this.#t = t;
    this.#adminEmails = adminEmails;
    this.admins = createAdmins({ ...t, adminEmails });
  }

  static async start(settings: Settings = {}): Promise<Rig> {
    return new Rig(await startAccountsTest({ settings }), settings.adminEmails ?? []);
  }

  get t(): AccountsTest {
    return this.#t;
  }

  register(name: string, headers: Record<string, string> = {}): Promise<Answered> {
    return this.#t.post('/api/v1/auth/register', { ...credentials(name), name: 'Some One', username: name }, headers);
  }

  logIn(name: string): Promise<Answered> {
    return this.#t.post('/api/v1/auth/login', credentials(name));
  }

  refresh(cookie: string | undefined): Promise<Answered> {
    return this.#t.post('/api/v1/auth/refresh-token', undefined, { cookie: `refreshToken=${cookie}` });
  }

  /** In a new token, and in the answers of `GET /auth/me`, from the read model and from the log. */
  async roles(name: string): Promise<unknown[]> {
    const { body } = await this.logIn(name);
    const me = async (): Promise<unknown> => {
      const authorization = `Bearer ${body.data['accessToken'] as string}`;
      const position = String(await this.#t.store.head());
      return (await this.#t.get('/api/v1/auth/me', { authorization, 'x-min-position': position })).body.meta?.['role'];
    };
    return [roleIn({ body }), await me()];
  }

  /** A program that knows no admins has registered the user. */
  async registeredBefore(name: string, at = new Date().toISOString()): Promise<RegisteredUser> {
    const userId = v7();
    const { email } = credentials(name);
    const event = {
      type: 'UserRegistered',
      data: { userId, name, username: name, email, passwordHash: '$argon2id$…', at },
    };
    await this.#t.store.append(userStream(userId), toNewEvents([event], userStream(userId), now()), 'none');
    return (await readUser(this.#t.store, userId)) as RegisteredUser;
  }

  status(projected = 0n): Promise<AdminStatus> {
    return readAdminStatus({ ...this.#t, adminEmails: this.#adminEmails, projected });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#t[Symbol.asyncDispose]();
  }
}

const email = (name: string): string => `${name}@example.org`;
const credentials = (name: string): { email: string; password: string } => ({
  email: email(name),
  password: 'engine#1843',
});
const now = (): CommandContext => ({ correlationId: 'test', now: new Date() });

function roleIn({ body }: Pick<Answered, 'body'>): unknown {
  return (jwt.decode(body.data['accessToken'] as string) as jwt.JwtPayload)['role'];
}

const ADMIN = ['admin', 'admin'];
const USER = ['user', 'user'];

describe('the first account', () => {
  test('is an admin from its registration on, and no other account is', async () => {
    await using rig = await Rig.start({ firstUserIsAdmin: true });
    expect(await rig.status()).toBe('no account');
    const first = await rig.register('ada');
    expect([first.status, first.body.meta?.['role'], first.headers.get('x-projection-behind')]).toEqual([
      201,
      'admin',
      null,
    ]);
    expect((await rig.register('bob')).body.meta?.['role']).toBe('user');
    expect([await rig.roles('ada'), await rig.roles('bob')]).toEqual([ADMIN, USER]);
    expect(await rig.admins.list()).toEqual([
      expect.objectContaining({ email: email('ada'), granted: { by: 'first account', at: expect.any(String) } }),
    ]);
    expect(await rig.status()).toBe('some admin');
  });

  test('is exactly one of many that register at once', async () => {
    await using rig = await Rig.start({ firstUserIsAdmin: true });
    const names = Array.from({ length: 12 }, (_, n) => `user${n}`);
    const registered = await Promise.all(names.map((name) => rig.register(name)));
    const admins = registered.filter(({ body }) => body.meta?.['role'] === 'admin');
    expect([registered.map(({ status }) => status), admins.length]).toEqual([names.map(() => 201), 1]);
    expect((await rig.admins.list()).map(({ userId }) => userId)).toEqual([admins[0]!.body.data['id']]);
  });

  test('gets the role by repeating a registration that ended between its two events', async () => {
    await using rig = await Rig.start({ firstUserIsAdmin: true });
    const { pool } = rig.t;
    await pool.query(`
      create function refuse_grant() returns trigger language plpgsql as $$ begin raise 'refused'; end $$;
      create trigger refuse_grant before insert on reelstream.events
      for each row when (new.type = 'AdminGranted') execute function refuse_grant()`);
    const key = { 'idempotency-key': v7() };
    expect((await rig.register('ada', key)).status).toBe(500);
    expect((await rig.register('bob')).body.meta?.['role']).toBe('user');
    await pool.query('drop trigger refuse_grant on reelstream.events');
    const again = await rig.register('ada', key);
    expect([again.status, again.body.meta?.['role']]).toEqual([201, 'admin']);

    // Repeating it once more does not give back what was revoked.
    expect(await rig.admins.revoke(email('ada'), 'command line', now())).toBe(true);
    expect((await rig.register('ada', key)).body.meta?.['role']).toBe('user');
    expect(await rig.admins.list()).toEqual([]);
  });

  test('is nobody where there were accounts before, also when an old registration is repeated', async () => {
    await using rig = await Rig.start({ firstUserIsAdmin: true });
    const old = await rig.registeredBefore('old', '2025-01-01T00:00:00.000Z');
    expect((await rig.register('ada')).body.meta?.['role']).toBe('user');
    expect(await createGrantToFirst(rig.t.store)(old, now())).toBeUndefined();
    expect([await rig.admins.list(), await rig.status()]).toEqual([[], 'no admin']);
  });

  test('is like any other where that is turned off', async () => {
    await using rig = await Rig.start();
    expect((await rig.register('ada')).body.meta?.['role']).toBe('user');
    expect([await rig.roles('ada'), await rig.status()]).toEqual([USER, 'no admin']);
  });
});

describe('the role admin', () => {
  test('is in the next token after it was granted, and no longer in the next one after it was revoked', async () => {
    await using rig = await Rig.start();
    await rig.register('ada');
    let session = await rig.logIn('ada');
    const refreshed = async (): Promise<unknown> => roleIn((session = await rig.refresh(session.cookie)));
    expect(roleIn(session)).toBe('user');

    expect(await rig.admins.grant(' ADA@example.org', 'command line', now())).toBe(true);
    expect(await rig.admins.grant(email('ada'), 'command line', now())).toBe(false);
    expect([await refreshed(), await rig.roles('ada')]).toEqual(['admin', ADMIN]);

    expect(await rig.admins.revoke(email('ada'), 'command line', now())).toBe(true);
    expect(await rig.admins.revoke(email('ada'), 'command line', now())).toBe(false);
    expect([await refreshed(), await rig.roles('ada')]).toEqual(['user', USER]);
    expect(await rig.admins.list()).toEqual([]);
  });

  test('is granted once, however many ask at once', async () => {
    await using rig = await Rig.start();
    await rig.register('ada');
    const granted = await Promise.all(
      Array.from({ length: 8 }, () => rig.admins.grant(email('ada'), 'command line', now())),
    );
    expect(granted.filter(Boolean)).toHaveLength(1);
  });

  test('is not granted to an address that nobody has registered, also while a registration is under way', async () => {
    await using rig = await Rig.start();
    const registering = rig.register('ada');
    const outcomes: unknown[] = [];
    for (let registered = false; !registered;) {
      const outcome: unknown = await rig.admins
        .grant(email('ada'), 'command line', now())
        .catch((error: unknown) => error);
      if (outcome === true) registered = true;
      else outcomes.push(outcome);
    }
    for (const outcome of outcomes) expect(outcome).toMatchObject({ kind: 'notFound', code: 'account_unknown' });
    expect(outcomes.length).toBeGreaterThan(0);
    expect([(await registering).status, await rig.roles('ada')]).toEqual([201, ADMIN]);
  });

  test('belongs to those whom ADMIN_EMAILS lists, in whatever way it is written', async () => {
    await using rig = await Rig.start({ adminEmails: ['ADA@Example.org', 'bob@example.org', 'nobody@example.org'] });
    for (const name of ['ada', 'bob', 'eve']) await rig.register(name);
    expect([await rig.roles('ada'), await rig.roles('eve')]).toEqual([ADMIN, USER]);
    await rig.admins.grant(email('bob'), 'command line', now());
    const listed = { granted: undefined, isListed: true };
    expect(await rig.admins.list()).toEqual([
      expect.objectContaining({ email: email('bob'), granted: expect.anything(), isListed: true }),
      { ...listed, email: email('ada'), userId: expect.any(String) },
      { ...listed, email: email('nobody'), userId: undefined },
    ]);
    await expect(rig.admins.revoke(email('bob'), 'command line', now())).rejects.toMatchObject({
      code: 'admin_listed',
      message: expect.stringMatching(/Remove it from ADMIN_EMAILS.*Then revoke the role again/),
    });
    expect(await rig.status()).toBe('some admin');
  });

  test('is known to a start before the read model shows it, and while that has older tables', async () => {
    await using rig = await Rig.start();
    await rig.register('ada');
    await rig.t.pool.query('alter table accounts.users drop column admin_since');
    expect(await rig.status()).toBe('no admin');
    await rig.admins.grant(email('ada'), 'command line', now());
    expect(await rig.status()).toBe('some admin');
  });
});
