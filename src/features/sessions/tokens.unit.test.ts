import { expect, test } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { fixedKeys, type KeyRing } from '../../core/keyRing.ts';
import { createTokens, type Tokens } from './tokens.ts';

const claims = { sessionId: 's1', userId: 'u1', revision: 3 };
const tokensOf = (refreshSecret: KeyRing<string>): Tokens =>
  createTokens({ accessSecret: fixedKeys('access'), accessSeconds: 60, refreshSecret, refreshSeconds: 60 });
const invalid = expect.objectContaining({ code: 'refresh_token_invalid' });
const caught = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return error;
  }
};

test('a refresh token is accepted under each secret of the ring, and signed with the first', () => {
  const before = tokensOf(fixedKeys('first')).refresh(claims, new Date());
  const tokens = tokensOf(fixedKeys('second', 'first'));
  expect(tokens.verifyRefresh(before)).toEqual(claims);
  const after = tokens.refresh(claims, new Date());
  expect(tokensOf(fixedKeys('second')).verifyRefresh(after)).toEqual(claims);
  expect(caught(() => tokensOf(fixedKeys('second')).verifyRefresh(before))).toEqual(invalid);
  const old = tokensOf(fixedKeys('first')).refresh(claims, new Date(Date.now() - 61_000));
  expect(caught(() => tokens.verifyRefresh(old))).toEqual(expect.objectContaining({ code: 'refresh_token_expired' }));
});

test('a secret that this process has not read yet is looked for', () => {
  let keys = ['first'];
  const tokens = tokensOf({
    keys: () => keys,
    refresh: () => keys.length === 1 && (keys = ['second', 'first']) !== undefined,
  });
  expect(tokens.verifyRefresh(tokensOf(fixedKeys('second')).refresh(claims, new Date()))).toEqual(claims);
});

test('no other algorithm is accepted, whatever secret signed', () => {
  const payload = { sid: 's1', sub: 'u1', rev: 3 };
  for (const token of [
    jwt.sign(payload, 'first', { algorithm: 'HS384' }),
    jwt.sign(payload, null, { algorithm: 'none' }),
  ])
    expect(caught(() => tokensOf(fixedKeys('second', 'first')).verifyRefresh(token))).toEqual(invalid);
});
