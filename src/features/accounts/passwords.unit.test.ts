import { describe, expect, test } from '@jest/globals';
import { argon2Sync } from 'node:crypto';
import { createPasswords } from './passwords.ts';

describe('a password', () => {
  test('is known again by its hash, and no other is', async () => {
    const passwords = createPasswords();
    const hash = await passwords.hash('fahim123@');
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(await passwords.verify('fahim123@', hash)).toBe(true);
    expect(await passwords.verify('fahim123#', hash)).toBe(false);
  });

  test('has another hash each time', async () => {
    const passwords = createPasswords();
    expect(await passwords.hash('fahim123@')).not.toBe(await passwords.hash('fahim123@'));
  });

  test('is the same however its characters were typed', async () => {
    const passwords = createPasswords();
    expect(await passwords.verify('cafe\u0301 1', await passwords.hash('caf\u00e9 1'))).toBe(true);
  });

  test.each([
    undefined,
    'forgotten',
    '',
    '$argon2i$v=19$m=8,t=1,p=1$AAAA$AAAA',
    '$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
  ])('never matches what is no hash of it: %s', async (hash) => {
    expect(await createPasswords().verify('fahim123@', hash)).toBe(false);
  });

  test('is checked at the cost that its hash names, so that raising the cost locks nobody out', async () => {
    const salt = Buffer.from('saltsaltsaltsalt');
    const digest = argon2Sync('argon2id', {
      message: 'password1!',
      nonce: salt,
      memory: 1024,
      passes: 1,
      parallelism: 2,
      tagLength: 16,
    });
    const unpadded = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');
    const hash = `$argon2id$v=19$m=1024,t=1,p=2$${unpadded(salt)}$${unpadded(digest)}`;
    expect(await createPasswords().verify('password1!', hash)).toBe(true);
    expect(await createPasswords().verify('password1!', hash.replace('t=1', 't=2'))).toBe(false);
  });

  test('waits for its turn, and is refused when the line is too long', async () => {
    const passwords = createPasswords({ concurrency: 1, mostWaiting: 1 });
    const [first, second, third] = await Promise.allSettled([
      passwords.hash('a'),
      passwords.hash('b'),
      passwords.hash('c'),
    ]);
    expect([first?.status, second?.status]).toEqual(['fulfilled', 'fulfilled']);
    expect(third).toMatchObject({ status: 'rejected', reason: { code: 'busy', kind: 'unavailable' } });
    expect(await passwords.hash('d')).toMatch(/^\$argon2id/);
  });
});
