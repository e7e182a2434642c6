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

test('however often a signal is waited for, it has one listener', async () => {
  const { signal } = new AbortController();
  for (let n = 0; n < 20; n++) {
    await pause(0, signal);
    expect(await abortable(Promise.resolve(n), signal)).toBe(n);
  }
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
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
