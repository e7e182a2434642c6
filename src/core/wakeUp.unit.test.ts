import { expect, test } from '@jest/globals';
import { createWakeUp } from './wakeUp.ts';

test('wakes all who wait, and those who begin to wait afterwards only the next time', async () => {
  const wakeUp = createWakeUp();
  const woken: string[] = [];
  const wait = (name: string): Promise<unknown> => wakeUp.next().then(() => woken.push(name));
  const early = [wait('a'), wait('b')];
  wakeUp.wake();
  const late = wait('c');
  await Promise.all(early);
  expect(woken).toEqual(['a', 'b']);
  wakeUp.wake();
  await late;
  expect(woken).toEqual(['a', 'b', 'c']);
});

test('a waiter gets the reason of its signal when that aborts first, and the others go on waiting', async () => {
  const wakeUp = createWakeUp();
  const abort = new AbortController();
  const other = wakeUp.next();
  const aborted = wakeUp.next(abort.signal);
  abort.abort(new Error('enough'));
  await expect(aborted).rejects.toThrow('enough');
  wakeUp.wake();
  await other;
});
