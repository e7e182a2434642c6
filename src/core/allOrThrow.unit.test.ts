import { expect, test } from '@jest/globals';
import { allOrThrow } from './allOrThrow.ts';

test('the values come in the order of the work', async () => {
  expect(await allOrThrow([Promise.resolve(1), Promise.resolve('two')])).toEqual([1, 'two']);
});

test('when one fails, the others are finished first', async () => {
  const slow = Promise.withResolvers<undefined>();
  let ended = false;
  const all = allOrThrow([Promise.reject(new Error('no')), slow.promise]).finally(() => (ended = true));
  all.catch(() => undefined);
  await new Promise(setImmediate);
  expect(ended).toBe(false);
  slow.resolve(undefined);
  await expect(all).rejects.toThrow('no');
});
