import { expect, jest, test } from '@jest/globals';
import { getEventListeners } from 'node:events';
import { abortable, onAbort, pause } from './abortable.ts';

test('onAbort calls back once when the signal aborts, unless that was taken back', () => {
  const controller = new AbortController();
  const [kept, forgotten] = [jest.fn(), jest.fn()];
  onAbort(controller.signal, kept);
  const forget = onAbort(controller.signal, forgotten);
  forget();
  forget();
  controller.abort();
  expect(kept).toHaveBeenCalledTimes(1);
  expect(forgotten).not.toHaveBeenCalled();
});

test('a signal has one listener while it is waited for, and none afterwards', async () => {
  const { signal } = new AbortController();
  const listeners = (): number => getEventListeners(signal, 'abort').length;
  const [one, other] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const waits = [abortable(one.promise, signal), abortable(other.promise, signal), pause(1, signal)];
  expect(listeners()).toBe(1);
  one.resolve();
  await waits[0];
  expect(listeners()).toBe(1);
  other.resolve();
  await Promise.all(waits);
  expect(listeners()).toBe(0);
  await abortable(Promise.resolve(), signal);
  expect(listeners()).toBe(0);
});

test('abortable throws the reason of the signal, before and while it waits', async () => {
  const controller = new AbortController();
  const waiting = abortable(new Promise(() => undefined), controller.signal);
  controller.abort(new Error('over'));
  await expect(waiting).rejects.toThrow('over');
  await expect(abortable(new Promise(() => undefined), controller.signal)).rejects.toThrow('over');
});

test('a pause ends when its signal aborts, and at once when it has', async () => {
  const controller = new AbortController();
  const waiting = pause(2 ** 30, controller.signal);
  controller.abort();
  await waiting;
  await pause(2 ** 30, controller.signal);
});
