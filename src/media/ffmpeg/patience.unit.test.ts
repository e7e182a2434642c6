import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { startPatience } from './patience.ts';

let ended = 0;
let now = 0;
const start = (milliseconds: number) =>
  startPatience(
    milliseconds,
    () => {
      ended += 1;
    },
    () => now,
  );
/** So much time passes, in which timers go off on time. */
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
  now += 10 * 60_000; // No timer goes off meanwhile.
  pass(15_000);
  expect(ended).toBe(0);
  pass(10_000);
  expect(ended).toBe(1);
});

test('begins again when it is told to', () => {
  const patience = start(30_000);
  pass(29_000);
  patience.renew();
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
