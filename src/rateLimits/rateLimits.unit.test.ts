import { describe, expect, test } from '@jest/globals';
import { onlyLimiting } from '../../tests/support/rateLimits.ts';
import { addressKey } from './addressKey.ts';
import { createRateLimits } from './createRateLimits.ts';

const limits = onlyLimiting({
  general: { points: 3, seconds: 60 },
  login: { points: 1, seconds: 60 },
  upload: { points: 2, seconds: 1 },
});

describe('rate limits', () => {
  test('allow so many requests per window, and tell how many are left', async () => {
    const rateLimits = createRateLimits({ enabled: true, limits });
    const states = [];
    for (let request = 0; request < 5; request++) states.push(await rateLimits.consume('general', 'user:a'));
    expect(states.map((state) => [state?.allowed, state?.remaining])).toEqual([
      [true, 2],
      [true, 1],
      [true, 0],
      [false, 0],
      [false, 0],
    ]);
    expect(states[4]).toMatchObject({ limit: 3, resetSeconds: 60 });
  });

  test('count each caller and each group separately', async () => {
    const rateLimits = createRateLimits({ enabled: true, limits });
    expect((await rateLimits.consume('login', 'user:a'))?.allowed).toBe(true);
    expect((await rateLimits.consume('login', 'user:a'))?.allowed).toBe(false);
    expect((await rateLimits.consume('login', 'user:b'))?.allowed).toBe(true);
    expect((await rateLimits.consume('general', 'user:a'))?.allowed).toBe(true);
  });

  test('remember a bounded number of callers and forget the least recently used', async () => {
    const rateLimits = createRateLimits({ enabled: true, limits });
    await rateLimits.consume('login', 'user:first');
    for (let caller = 0; caller < 100_000; caller++) await rateLimits.consume('login', `user:${caller}`);
    expect((await rateLimits.consume('login', 'user:first'))?.allowed).toBe(true);
    expect((await rateLimits.consume('login', 'user:99999'))?.allowed).toBe(false);
  });

  test('count nothing when they are turned off', async () => {
    const rateLimits = createRateLimits({ enabled: false, limits });
    for (let request = 0; request < 5; request++) expect(await rateLimits.consume('login', 'user:a')).toBeUndefined();
  });
});

describe('the key of an address', () => {
  test.each([
    ['10.0.0.1', 'ip:10.0.0.1'],
    ['::ffff:10.0.0.1', 'ip:10.0.0.1'],
    ['2001:db8:1:2:3:4:5:6', 'ip:2001:db8:1:2::/64'],
    ['2001:db8:1:2::6', 'ip:2001:db8:1:2::/64'],
    ['2001:0db8::1', 'ip:2001:db8:0:0::/64'],
    ['::1', 'ip:0:0:0:0::/64'],
    ['unknown', 'ip:unknown'],
  ])('%s counts as %s', (address, key) => {
    for (let again = 0; again < 2; again++) expect(addressKey(address)).toBe(key);
  });

  test('is right also when more addresses ask than are remembered', () => {
    for (let n = 0; n < 2_500; n++) addressKey(`10.0.${n >> 8}.${n & 255}`);
    for (const n of [0, 1_000, 2_499])
      expect(addressKey(`10.0.${n >> 8}.${n & 255}`)).toBe(`ip:10.0.${n >> 8}.${n & 255}`);
  });
});
