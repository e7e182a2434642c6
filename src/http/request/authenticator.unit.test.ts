import { afterEach, describe, expect, jest, test } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { createAuthenticator } from './authenticator.ts';
import { fixedKeys, type KeyRing } from '../../core/keyRing.ts';

const SECRET = 'only for tests';
const NOON = Date.parse('2025-03-01T12:00:00.000Z');
const user = { id: 'u1', name: 'Ada', username: 'ada', email: 'ada@example.org', role: 'user' };
const refused = (code: string): unknown => expect.objectContaining({ code });

/** A token from noon. */
function tokenFor(seconds: number, claims: object = user, secret = SECRET): string {
  const iat = NOON / 1_000;
  return jwt.sign({ ...claims, iat, exp: iat + seconds }, secret);
}

function setClock(msAfterNoon: number): void {
  jest.spyOn(Date, 'now').mockReturnValue(NOON + msAfterNoon);
}
afterEach(() => {
  jest.restoreAllMocks();
});

describe('a token that was verified before', () => {
  test('is refused from the second on in which it expires', async () => {
    const { authenticate, verify } = createAuthenticator({ secret: fixedKeys(SECRET) });
    const token = tokenFor(60);
    const request = { headers: { authorization: `Bearer ${token}` } };
    for (const ms of [0, 1, 59_999]) {
      setClock(ms);
      expect([await authenticate(request), (await verify(token)).expires]).toEqual([user, new Date(NOON + 60_000)]);
    }
    setClock(60_000);
    await expect(authenticate(request)).rejects.toEqual(refused('token_expired'));
    await expect(verify(token)).rejects.toEqual(refused('token_expired'));
  });

  test('vouches for no other token', async () => {
    const { authenticate } = createAuthenticator({ secret: fixedKeys(SECRET) });
    setClock(0);
    const token = tokenFor(60);
    await authenticate({ headers: { authorization: `Bearer ${token}` } });
    const [head, , signature] = token.split('.');
    const claims = Buffer.from(JSON.stringify({ ...user, role: 'admin' })).toString('base64url');
    for (const forged of [`${head}.${claims}.${signature}`, token.slice(0, -1), `${token}x`])
      await expect(authenticate({ headers: { authorization: `Bearer ${forged}` } })).rejects.toEqual(
        refused('token_invalid'),
      );
    const other = await authenticate({ headers: { authorization: `bearer  ${tokenFor(60, { ...user, id: 'u2' })}` } });
    expect(other).toEqual({ ...user, id: 'u2' });
  });

  test('is refused once its session has ended, and by it alone', async () => {
    const ended = new Set<string | undefined>();
    const { authenticate, verify } = createAuthenticator({
      secret: fixedKeys(SECRET),
      isRevoked: ({ session }) => ended.has(session?.id),
    });
    setClock(0);
    const token = tokenFor(60, { ...user, sid: 's1', gen: 2 });
    const request = { headers: { authorization: `Bearer ${token}` } };
    expect(await authenticate(request)).toEqual({ ...user, session: { id: 's1', generation: 2 } });
    ended.add('s1');
    await expect(authenticate(request)).rejects.toEqual(refused('session_revoked'));
    await expect(verify(token)).rejects.toEqual(refused('session_revoked'));
    const older = tokenFor(60, { ...user, sid: 's0' });
    expect((await verify(older)).user.session).toEqual({ id: 's0', generation: 0 });
    expect((await verify(tokenFor(60))).user.session).toBeUndefined();
  });
});

describe('a secret that is replaced', () => {
  /** Finds what is kept when it looks there. */
  function ringOf(...first: string[]): KeyRing<string> & { kept: readonly string[] } {
    let keys: readonly string[] = first;
    return {
      kept: keys,
      keys: () => keys,
      refresh() {
        const changed = this.kept !== keys;
        keys = this.kept;
        return changed;
      },
    };
  }
  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

  test('is accepted beside the new one, until it is not; also for tokens that were verified before', async () => {
    setClock(0);
    const ring = ringOf(SECRET);
    const { authenticate } = createAuthenticator({ secret: ring });
    const [before, after] = [tokenFor(60), tokenFor(60, user, 'the next one')];
    expect(await authenticate(bearer(before))).toEqual(user);
    await expect(authenticate(bearer(after))).rejects.toEqual(refused('token_invalid'));

    // Another process signs with the new one already. This one looks for it when it meets the token.
    ring.kept = ['the next one', SECRET];
    for (const token of [after, before, tokenFor(59)]) expect(await authenticate(bearer(token))).toEqual(user);
    await expect(authenticate(bearer(tokenFor(0)))).rejects.toEqual(refused('token_expired'));

    ring.kept = ['the next one'];
    ring.refresh();
    await expect(authenticate(bearer(before))).rejects.toEqual(refused('token_invalid'));
    expect(await authenticate(bearer(after))).toEqual(user);
  });

  test('opens no door for tokens of another algorithm, or without a signature', async () => {
    setClock(0);
    const { authenticate } = createAuthenticator({ secret: fixedKeys('the next one', SECRET) });
    const claims = { ...user, exp: NOON / 1_000 + 60 };
    for (const token of [
      jwt.sign(claims, SECRET, { algorithm: 'HS512' }),
      jwt.sign(claims, null, { algorithm: 'none' }),
      tokenFor(60, user, 'a third one'),
    ])
      await expect(authenticate(bearer(token))).rejects.toEqual(refused('token_invalid'));
  });
});
