import { describe, expect } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { call, newPerson, refreshCookie, type Account, type Person } from '../support/systemClient.ts';
import { connect } from '../support/systemSockets.ts';
import { useSystem } from '../support/useSystem.ts';

const { system, systemTest } = useSystem();

interface Session {
  readonly id: string;
  readonly current: boolean;
}

const OK = [200, undefined];
const REVOKED = [401, 'session_revoked'];

/** What a request with this token is answered. */
async function asked(base: string, token: string): Promise<unknown> {
  const { status, body } = await call(base, 'GET', '/api/v1/auth/me', { token });
  return [status, body?.code];
}

async function logInAgain(base: string, { email, password }: Person): Promise<{ token: string; cookie: string }> {
  const answer = await call<{ accessToken: string }>(base, 'POST', '/api/v1/auth/login', { json: { email, password } });
  return { token: answer.data.accessToken, cookie: refreshCookie(answer) };
}

async function sessions(base: string, token: string): Promise<readonly Session[]> {
  return (await call<Session[]>(base, 'GET', '/api/v1/auth/sessions', { token, after: 0n })).data;
}

describe('a session that is ended from another one', () => {
  systemTest('is refused by every API process, its sockets close, and a restart does not revive it', async () => {
    const [one, last] = [system().apis[0]!, system().apis.at(-1)!];
    const mine = await newPerson(one);
    const lost = await logInAgain(last, mine);
    const all = await sessions(one, mine.token);
    expect(all.map(({ current }) => current)).toEqual([false, true]);
    expect((await sessions(last, lost.token)).map(({ current }) => current)).toEqual([true, false]);
    const [kept, closed] = [await connect(last, mine.token), await connect(last, lost.token)];
    const disconnected = new Promise((resolve) => closed.once('disconnect', resolve));
    const refused = new Promise((resolve) => closed.once('connect_error', resolve));

    const revoked = await call(one, 'DELETE', `/api/v1/auth/sessions/${all[0]!.id}`, { token: mine.token });
    expect(revoked.status).toBe(204);
    expect(await asked(one, lost.token)).toEqual(REVOKED);
    await eventually(() => asked(last, lost.token), {
      what: 'the other process refuses the token',
      holds: (answer) => JSON.stringify(answer) === JSON.stringify(REVOKED),
    });
    await disconnected;
    await refused;
    expect(kept.connected).toBe(true);
    kept.disconnect();
    closed.disconnect();

    const restarted = system().playing('api').at(-1)!;
    await restarted.end('SIGKILL');
    await restarted.start();
    expect([await asked(last, lost.token), await asked(last, mine.token)]).toEqual([REVOKED, OK]);
    const refreshed = await call(last, 'POST', '/api/v1/auth/refresh-token', { headers: { cookie: lost.cookie } });
    expect([refreshed.status, refreshed.body.code]).toEqual(REVOKED);
  });

  systemTest('ends together with all others when the password changes', async () => {
    const [one, last] = [system().apis[0]!, system().apis.at(-1)!];
    const mine = await newPerson(one);
    const other = await logInAgain(last, mine);
    const changed = await call(one, 'PUT', '/api/v1/auth/me/password', {
      token: mine.token,
      json: { currentPassword: mine.password, newPassword: 'another-1!' },
    });
    expect(changed.status).toBe(204);
    await eventually(() => asked(last, other.token), {
      what: 'the other process refuses the token',
      holds: (answer) => JSON.stringify(answer) === JSON.stringify(REVOKED),
    });
    expect(await asked(last, mine.token)).toEqual(OK);
    expect((await sessions(last, mine.token)).map(({ current }) => current)).toEqual([true]);
  });
});

describe('a changed name', () => {
  systemTest('is shown by every API process to who asks after the change', async () => {
    const [one, last] = [system().apis[0]!, system().apis.at(-1)!];
    const ann = await newPerson(one);
    const wanted = { name: 'Ann Other', username: `${ann.username}_2` };
    const changed = await call<Account>(one, 'PATCH', '/api/v1/auth/me', { token: ann.token, json: wanted });
    expect([changed.status, changed.data]).toMatchObject([200, wanted]);
    const { data } = await call<Account>(last, 'GET', '/api/v1/auth/me', { token: ann.token, after: changed.position });
    expect(data).toMatchObject(wanted);
    const page = (username: string): Promise<{ status: number }> =>
      call(last, 'GET', `/api/v1/video?username=${username}`, { after: changed.position });
    expect([(await page(ann.username)).status, (await page(wanted.username)).status]).toEqual([404, 200]);
  });
});
