import { describe, expect } from '@jest/globals';
import { call, newPerson, refreshCookie, type Account, type Answer, type Person } from '../support/systemClient.ts';
import { useSystem } from '../support/useSystem.ts';

const { system, systemTest } = useSystem({
  environment: { ADMIN_EMAILS: 'Listed@Example.com', FIRST_USER_IS_ADMIN: 'false' },
});

const ALLOWED = [200, undefined];
const REFUSED = [403, 'admin_required'];

describe('the role admin, at every API process', () => {
  systemTest('is granted and revoked on the command line while the system runs', async () => {
    const person = await newPerson(system().api());
    expect(await asks(person.token)).toEqual(REFUSED);

    const [process] = system().playing('api');
    const granted = await process!.command('admins', 'grant', person.email);
    expect([granted.code, granted.errors]).toEqual([0, '']);
    expect(await asks(person.token)).toEqual(REFUSED);
    const admin = await refreshed(person);
    expect([admin.role, await asks(admin.token)]).toEqual(['admin', ALLOWED]);

    expect((await process!.command('admins', 'revoke', person.email)).code).toBe(0);
    const user = await refreshed(admin);
    expect([user.role, await asks(user.token), await asks(admin.token)]).toEqual(['user', REFUSED, ALLOWED]);
  });

  systemTest('is in the first token of a user whom ADMIN_EMAILS lists', async () => {
    const { token } = await newPerson(system().api(), { email: 'listed@example.com' });
    expect(await asks(token)).toEqual(ALLOWED);
  });
});

/** What an operator's request is answered. */
async function asks(token: string): Promise<[number, string | undefined]> {
  const { status, body } = await call(system().api(), 'GET', '/api/v1/admin/events?limit=1', { token });
  return [status, body.code];
}

interface Refreshed extends Pick<Person, 'token' | 'cookie'> {
  /** What `GET /auth/me` says, from a read model that has passed the position of the refresh. */
  readonly role: string | undefined;
}

async function refreshed({ cookie }: Pick<Person, 'cookie'>): Promise<Refreshed> {
  const answer: Answer<{ accessToken: string }> = await call(system().api(), 'POST', '/api/v1/auth/refresh-token', {
    headers: { cookie },
  });
  const token = answer.data.accessToken;
  const me = await call<Account>(system().api(), 'GET', '/api/v1/auth/me', { token, after: answer.position });
  return { token, cookie: refreshCookie(answer), role: me.body.meta?.role };
}
