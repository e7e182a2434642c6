import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { startActiveTimeout } from './activeTimeout.ts';

let ended = 0;
let now = 0;
const start = (milliseconds: number) =>
  startActiveTimeout(
    milliseconds,
    () => {
      ended += 1;
    },
    () => now,
  );
/** Lets time pass while the process runs: timers fire on time. */
function pass(milliseconds: number): void {
  for (let left = milliseconds; left > 0; left -= 100) {
    now += 100;
    jest.advanceTimersByTime(100);
  }
}

beforeEach(() => {
  ended = now = 0;
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test('ends once, after its time', () => {
  start(30_000);
  pass(29_900);
  expect(ended).toBe(0);
  pass(60_000);
  expect(ended).toBe(1);
});

test('does not count the time in which the process was stopped', () => {
  start(30_000);
  pass(10_000);
  now += 10 * 60_000; // No timer fires meanwhile.
  pass(15_000);
  expect(ended).toBe(0);
  pass(10_000);
  expect(ended).toBe(1);
});

test('starts anew when it is renewed', () => {
  const timeout = start(30_000);
  pass(29_000);
  timeout.renew();
  pass(29_000);
  expect(ended).toBe(0);
  pass(1_500);
  expect(ended).toBe(1);
});

test('does nothing once it is ended', () => {
  start(300).end();
  pass(1_000);
  expect(ended).toBe(0);
});
