import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { createNames, firstNameKey } from './names.ts';

const namesOf = (masterKey: Buffer) => createNames((kind) => firstNameKey(masterKey, kind));
const key = randomBytes(32);

test('a name is the same for the same value, and differs for another kind, value or key', () => {
  const name = namesOf(key)('email', 'zoe@example.org');
  expect(namesOf(Buffer.from(key))('email', 'zoe@example.org')).toBe(name);
  expect(name).toMatch(/^[\w-]{43}$/);
  const others = [
    namesOf(key)('username', 'zoe@example.org'),
    namesOf(key)('email', 'zoe@example.com'),
    namesOf(randomBytes(32))('email', 'zoe@example.org'),
  ];
  expect(new Set([name, ...others]).size).toBe(4);
});

test('names are the same in all versions of the program, since streams are found by them', () => {
  const name = namesOf(Buffer.alloc(32, 7))('email', 'zoe@example.org');
  expect(name).toBe('aBQG4teBc23jOXLZmCc9Hg9JwrlYpa3Ophe3KLUM0fc');
});
