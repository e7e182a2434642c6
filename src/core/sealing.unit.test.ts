import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { hmacName, seal, subkey, unseal } from './sealing.ts';

const key = randomBytes(32);

test('a box opens with the same key and context, and with no other', () => {
  const box = seal(key, Buffer.from('secret'), 'here');
  expect(unseal(key, box, 'here').toString()).toBe('secret');
  expect(() => unseal(key, box, 'there')).toThrow();
  expect(() => unseal(randomBytes(32), box, 'here')).toThrow();
  expect(() => unseal(key, box.subarray(0, 20), 'here')).toThrow();
  box[box.length - 1]! ^= 1;
  expect(() => unseal(key, box, 'here')).toThrow();
});

test('a name by HMAC is the same for the same value, and differs for another kind, value or master key', () => {
  const name = hmacName(key, 'email', 'zoe@example.org');
  expect(hmacName(Buffer.from(key), 'email', 'zoe@example.org')).toBe(name);
  expect(name).toMatch(/^[\w-]{43}$/);
  const others = [
    hmacName(key, 'username', 'zoe@example.org'),
    hmacName(key, 'email', 'zoe@example.com'),
    hmacName(randomBytes(32), 'email', 'zoe@example.org'),
  ];
  expect(new Set([name, ...others]).size).toBe(4);
});

test('names are the same in all versions of the program, since streams are found by them', () => {
  expect(hmacName(Buffer.alloc(32, 7), 'email', 'zoe@example.org')).toBe('aBQG4teBc23jOXLZmCc9Hg9JwrlYpa3Ophe3KLUM0fc');
});

test('a master key must have 32 bytes', () => {
  expect(() => subkey(randomBytes(31), 'wrap')).toThrow(/31 bytes/);
});
