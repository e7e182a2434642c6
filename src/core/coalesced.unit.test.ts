import { expect, test } from '@jest/globals';
import { coalesced } from './coalesced.ts';

/** Runs that the test lets end one by one. */
function runs() {
  const begun: PromiseWithResolvers<string>[] = [];
  const call = coalesced(() => {
    const run = Promise.withResolvers<string>();
    begun.push(run);
    return run.promise;
  });
  const settled = (): Promise<void> => new Promise(setImmediate);
  return { begun, call, settled };
}

test('calls share one run, and those that come while it is under way share the next one', async () => {
  const { begun, call, settled } = runs();
  const early = [call(), call()];
  await settled();
  const late = [call(), call(), call()];
  await settled();
  expect(begun).toHaveLength(1);
  begun[0]!.resolve('first');
  expect(await Promise.all(early)).toEqual(['first', 'first']);
  await settled();
  expect(begun).toHaveLength(2);
  begun[1]!.resolve('second');
  expect(await Promise.all(late)).toEqual(['second', 'second', 'second']);
});

test('a run that fails is told to those who shared it, and to nobody else', async () => {
  const { begun, call, settled } = runs();
  const failing = Promise.allSettled([call(), call()]);
  await settled();
  const next = call();
  begun[0]!.reject(new Error('away'));
  expect((await failing).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await settled();
  begun[1]!.resolve('second');
  expect(await next).toBe('second');
});
