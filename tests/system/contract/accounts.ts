import { describe, expect } from '@jest/globals';
import { call, newPerson, refreshCookie, someone, type Account, type Me } from '../../support/systemClient.ts';
import type { Setting } from './setting.ts';

type Tokens = { accessToken: string };

export function accountsContract({ system, systemTest }: Setting): void {
  const refresh = (cookie?: string) => call<Tokens>(system().api(), 'POST', '/api/v1/auth/refresh-token', { cookie });
  const me = (token: string, after?: bigint) => call<Me>(system().api(), 'GET', '/api/v1/auth/me', { token, after });

  describe('accounts', () => {
    systemTest('the answer to a registration has the account, and no password in any form', async () => {
      const credentials = someone();
      const answer = await call<Account>(system().api(), 'POST', '/api/v1/auth/register', { json: credentials });
      expect(answer.status).toBe(201);
      expect(answer.body).toMatchObject({ success: true, statusCode: 201, message: expect.any(String) });
      const { name, username, email } = credentials;
      expect(answer.data).toEqual({
        id: expect.any(String),
        name,
        username,
        email,
        createdAt: expect.any(String),
        updatedAt: expect.any(String),
      });
      expect(new Date(answer.data.createdAt).toISOString()).toBe(answer.data.createdAt);
      expect(answer.position).toBeGreaterThan(0n);
      expect(answer.headers.get('x-request-id')).toMatch(/^[\w-]+$/);
    });

    systemTest('a registration that breaks the rules is refused with a message for each field', async () => {
      const answer = await call(system().api(), 'POST', '/api/v1/auth/register', {
        json: { name: 'ab', username: 'x', email: 'no', password: 'short' },
      });
      expect(answer.status).toBe(400);
      expect(answer.body).toMatchObject({
        success: false,
        statusCode: 400,
        code: expect.stringMatching(/^[a-z0-9_]+$/),
        requestId: expect.any(String),
      });
      const fields = answer.body.errorMessages?.map(({ path }) => path);
      expect(new Set(fields)).toEqual(new Set(['name', 'username', 'email', 'password']));
    });

    systemTest('an e-mail and a username are taken in any case', async () => {
      const first = someone();
      await call(system().api(), 'POST', '/api/v1/auth/register', { json: first });
      const sameEmail = await call(system().api(), 'POST', '/api/v1/auth/register', {
        json: { ...someone(), email: first.email.toUpperCase() },
      });
      expect([sameEmail.status, sameEmail.body.code]).toEqual([409, 'email_taken']);
      const sameName = await call(system().api(), 'POST', '/api/v1/auth/register', {
        json: { ...someone(), username: first.username.toUpperCase() },
      });
      expect([sameName.status, sameName.body.code]).toEqual([409, 'username_taken']);
    });

    systemTest('a registration refused for its username leaves its e-mail free', async () => {
      const first = someone();
      const second = someone();
      await call(system().api(), 'POST', '/api/v1/auth/register', { json: first });
      const refused = await call(system().api(), 'POST', '/api/v1/auth/register', {
        json: { ...second, username: first.username },
      });
      expect(refused.status).toBe(409);
      const again = await call(system().api(), 'POST', '/api/v1/auth/register', { json: second });
      expect(again.status).toBe(201);
    });

    systemTest('of twenty registrations for one e-mail at the same time exactly one succeeds', async () => {
      const { email } = someone();
      const answers = await Promise.all(
        Array.from({ length: 20 }, () =>
          call(system().api(), 'POST', '/api/v1/auth/register', { json: { ...someone(), email } }),
        ),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array.from({ length: 19 }, () => 409)]);
      expect(new Set(answers.filter(({ status }) => status === 409).map(({ body }) => body.code))).toEqual(
        new Set(['email_taken']),
      );
    });

    systemTest('logging in gives a token with the promised claims and an httpOnly cookie', async () => {
      const credentials = someone();
      const registered = await call<Account>(system().api(), 'POST', '/api/v1/auth/register', { json: credentials });
      const { email, password } = credentials;
      const answer = await call<Tokens>(system().api(), 'POST', '/api/v1/auth/login', { json: { email, password } });
      expect(answer.status).toBe(200);
      const [header, payload] = answer.data.accessToken.split('.').slice(0, 2).map(fromBase64Url);
      expect(header).toMatchObject({ alg: 'HS256' });
      expect(payload).toMatchObject({
        id: registered.data.id,
        email,
        name: credentials.name,
        username: credentials.username,
        exp: expect.any(Number),
      });
      const cookie = answer.headers.getSetCookie().find((each) => each.startsWith('refreshToken='));
      expect(cookie).toMatch(/httponly/i);
      expect(cookie).toMatch(/samesite/i);
    });

    systemTest('a wrong password and an unknown e-mail get the same answer', async () => {
      const person = await newPerson(system().api());
      const wrong = await call(system().api(), 'POST', '/api/v1/auth/login', {
        json: { email: person.email, password: 'not-this-1!' },
      });
      const unknown = await call(system().api(), 'POST', '/api/v1/auth/login', {
        json: { email: someone().email, password: 'not-this-1!' },
      });
      expect([wrong.status, unknown.status]).toEqual([401, 401]);
      const withoutId = ({ requestId: _, ...rest }: object & { requestId?: string }) => rest;
      expect(withoutId(wrong.body)).toEqual(withoutId(unknown.body));
    });

    systemTest('me returns the account with its videos, and needs a valid token', async () => {
      const person = await newPerson(system().api());
      const answer = await me(person.token);
      expect(answer.status).toBe(200);
      const { id, name, username, email } = person;
      expect(answer.data).toEqual({
        id,
        name,
        username,
        email,
        createdAt: expect.any(String),
        updatedAt: expect.any(String),
        videos: [],
      });
      for (const token of ['', 'nonsense', `${person.token}x`, unsigned(person.token)]) {
        const refused = await me(token);
        expect([refused.status, refused.body.success]).toEqual([401, false]);
      }
    });

    systemTest('refreshing changes the cookie, and each token in turn works once', async () => {
      const person = await newPerson(system().api());
      let { cookie } = person;
      for (let turn = 0; turn < 3; turn += 1) {
        const answer = await refresh(cookie);
        expect(answer.status).toBe(200);
        expect(refreshCookie(answer)).not.toBe(cookie);
        cookie = refreshCookie(answer);
        expect((await me(answer.data.accessToken)).data.id).toBe(person.id);
      }
    });

    systemTest(
      'a refresh token that another tab has just used is refused by any API, and the session continues',
      async () => {
        const person = await newPerson(system().api());
        const rotated = refreshCookie(await refresh(person.cookie));
        const late = await refresh(person.cookie);
        expect([late.status, late.body.code]).toEqual([409, 'already_refreshed']);
        expect((await refresh(rotated)).status).toBe(200);
      },
    );

    systemTest('so is one that other tabs have just used and replaced twice', async () => {
      const person = await newPerson(system().api());
      const newest = refreshCookie(await refresh(refreshCookie(await refresh(person.cookie))));
      const late = await refresh(person.cookie);
      expect([late.status, late.body.code]).toEqual([409, 'already_refreshed']);
      expect((await refresh(newest)).status).toBe(200);
    });

    systemTest(
      'of ten uses of one refresh token at the same time exactly one succeeds, and the others get its error code',
      async () => {
        const person = await newPerson(system().api());
        const answers = await Promise.all(Array.from({ length: 10 }, () => refresh(person.cookie)));
        expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 9 }, () => 409)]);
      },
    );

    systemTest('a refresh token that is missing or malformed is refused', async () => {
      for (const cookie of [undefined, 'refreshToken=', 'refreshToken=nonsense', 'refreshToken=a.b.c']) {
        const answer = await refresh(cookie);
        expect([answer.status, answer.body.success]).toEqual([401, false]);
      }
    });

    systemTest('after logging out the session cannot be refreshed', async () => {
      const person = await newPerson(system().api());
      const answer = await call(system().api(), 'POST', '/api/v1/auth/logout', {
        cookie: person.cookie,
        token: person.token,
      });
      expect(answer.status).toBe(200);
      expect((await refresh(person.cookie)).status).toBe(401);
    });
  });
}

function fromBase64Url(part: string): unknown {
  return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
}

/** The same claims under `alg: none`. */
function unsigned(token: string): string {
  const header = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url');
  return `${header}.${token.split('.')[1]}.`;
}
