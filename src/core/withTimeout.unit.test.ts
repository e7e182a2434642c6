import { expect, test } from '@jest/globals';
import { withTimeout } from './withTimeout.ts';

const never = new Promise<never>(() => undefined);

test('answers as the promise does when that is soon enough', async () => {
  const onTimeout = (): never => {
    throw new Error('late');
  };
  expect(await withTimeout(Promise.resolve(1), 1_000, onTimeout)).toBe(1);
  await expect(withTimeout(Promise.reject(new Error('own')), 1_000, onTimeout)).rejects.toThrow('own');
});

test('answers as `onTimeout` does when the promise takes longer', async () => {
  expect(await withTimeout(never, 5, () => 'late')).toBe('late');
  const failing = withTimeout(never, 5, () => {
    throw new Error('late');
  });
  await expect(failing).rejects.toThrow('late');
});

test('takes no time at all as the shortest time', async () => {
  expect(await withTimeout(never, -1, () => 'late')).toBe('late');
});

test('sets no timer for a promise that may take for ever', async () => {
  expect(await withTimeout(Promise.resolve(1), Infinity, () => 'late')).toBe(1);
});

test('prefers an answer that comes in the turn of the event loop in which the time is up', async () => {
  const answer = new Promise((resolve) => setTimeout(resolve, 20, 'answer'));
  // Both timers are overdue when the event loop next runs them, the one of the time limit first.
  const outcome = withTimeout(answer, 10, () => 'late');
  const until = performance.now() + 40;
  while (performance.now() < until);
  expect(await outcome).toBe('answer');
});

test('ignores a rejection that comes after the time is up', async () => {
  const { promise, reject } = Promise.withResolvers<never>();
  expect(await withTimeout(promise, 1, () => 'late')).toBe('late');
  // An unhandled rejection would end the process that runs this test.
  reject(new Error('too late'));
  await new Promise(setImmediate);
});
