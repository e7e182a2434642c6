import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { secretFor, seal, subkey, unseal } from './sealing.ts';

const key = randomBytes(32);
const SECRET = 'npubp1Zx0TTgXHDtn_bqdi-l8aFCN7DAF2wZP3JZeOs';

test('a box opens with the same key and context, and with no other', () => {
  const box = seal(key, Buffer.from('secret'), 'here');
  expect(unseal(key, box, 'here').toString()).toBe('secret');
  expect(() => unseal(key, box, 'there')).toThrow();
  expect(() => unseal(randomBytes(32), box, 'here')).toThrow();
  expect(() => unseal(key, box.subarray(0, 20), 'here')).toThrow();
  box[box.length - 1]! ^= 1;
  expect(() => unseal(key, box, 'here')).toThrow();
});

test('a secret is the same in all versions of the program, since what it signed outlives a process', () => {
  expect(secretFor(Buffer.alloc(32, 7), 'device')).toBe(SECRET);
  expect(secretFor(Buffer.alloc(32, 7), 'signed media')).not.toBe(SECRET);
});

test('a master key must have 32 bytes', () => {
  expect(() => subkey(randomBytes(31), 'wrap')).toThrow(/31 bytes/);
});
