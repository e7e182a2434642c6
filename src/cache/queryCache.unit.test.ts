import { describe, expect, test } from '@jest/globals';
import { createProgressTracker, type ProgressTracker } from '../projecting/progress/progressTracker.ts';
import { cachedReply, replyForm, type CachedReply } from './cachedReply.ts';
import { createQueryCache, MAX_AGE_MS, type CachedForm, type CachedQuery, type QueryCache } from './queryCache.ts';
import type { SharedCache, SharedEntry } from './sharedCache.ts';

/** A read model of one text, which the test changes. Loads end at once, or when the test releases them. */
function readModel() {
  let text = 'empty';
  let loads = 0;
  let blocked: PromiseWithResolvers<void> | undefined;
  return {
    get loads() {
      return loads;
    },
    write: (now: string) => (text = now),
    /** Blocks the loads that begin from now on. */
    block: () => (blocked = Promise.withResolvers()),
    release: () => {
      blocked?.resolve();
      blocked = undefined;
    },
    async load(): Promise<CachedReply> {
      loads++;
      const read = text;
      await blocked?.promise;
      return cachedReply(Buffer.from(read));
    },
  };
}

interface Setting {
  readonly tracker: ProgressTracker;
  readonly cache: QueryCache;
  readonly model: ReturnType<typeof readModel>;
  /** Milliseconds pass. */
  pass(ms: number): void;
  /** The projection commits this text at a position. */
  commit(text: string, position: bigint, partition?: number): void;
  ask(options?: Partial<CachedQuery<CachedReply>>): Promise<string | undefined>;
}

function setting({
  shared,
  partitions = 1,
  maxBytes,
}: { shared?: SharedCache; partitions?: number; maxBytes?: number } = {}): Setting {
  const tracker = createProgressTracker();
  const model = readModel();
  let now = 0;
  const cache = createQueryCache({
    progress: tracker,
    shared,
    clock: () => now,
    ...(maxBytes !== undefined && { maxBytes }),
  });
  for (let partition = 0; partition < partitions; partition++) {
    tracker.moved({ projection: 'videos', partition, partitions, position: 10n, changed: false });
  }
  return {
    tracker,
    cache,
    model,
    pass: (ms) => (now += ms),
    commit: (text, position, partition = 0) => {
      model.write(text);
      tracker.moved({ projection: 'videos', partition, partitions, position, changed: true });
    },
    ask: async (options = {}) =>
      (await cache.get({ key: 'feed', projection: 'videos', form: replyForm, load: model.load, ...options }))?.bytes
        .latin1,
  };
}

describe('a cached answer', () => {
  test('is loaded once for all callers, at the same time or later', async () => {
    const { ask, model } = setting();
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask()));
    answers.push(await ask());
    expect([new Set(answers), model.loads]).toEqual([new Set(['empty']), 1]);
  });

  test('is encoded, decoded and measured when it is loaded, never when it is repeated', async () => {
    const { cache, model } = setting();
    const calls: string[] = [];
    const form: CachedForm<CachedReply> = {
      encode: (reply) => (calls.push('encode'), replyForm.encode(reply)),
      decode: (bytes) => (calls.push('decode'), replyForm.decode(bytes)),
      sizeOf: (reply) => (calls.push('sizeOf'), replyForm.sizeOf(reply)),
    };
    const query = { key: 'feed', projection: 'videos', form, load: model.load };
    const first = await cache.get(query);
    expect([await cache.get(query), calls]).toEqual([first, ['sizeOf']]);
    expect(await cache.get(query)).toBe(first);
  });

  test('carries an ETag of its bytes', async () => {
    const { cache, model, commit } = setting();
    const query = { key: 'feed', projection: 'videos', form: replyForm, load: model.load };
    const first = await cache.get(query);
    commit('other', 11n);
    const second = await cache.get(query);
    commit('empty', 12n);
    const third = await cache.get(query);
    expect(first!.etag).toMatch(/^"[\w-]+"$/);
    expect(second!.etag).not.toBe(first!.etag);
    expect(third!.etag).toBe(first!.etag);
  });

  test('is valid until its projection commits; commits of other projections do not matter', async () => {
    const { ask, commit, model, tracker } = setting();
    await ask();
    model.write('not yet committed');
    tracker.moved({ projection: 'likes', partition: 0, partitions: 1, position: 50n, changed: true });
    expect(await ask()).toBe('empty');
    commit('committed', 11n);
    expect(await ask()).toBe('committed');
  });

  test('is valid for one second at most, even when no commit is announced', async () => {
    const { ask, model, pass } = setting();
    await ask();
    model.write('changed without notice');
    pass(MAX_AGE_MS - 1);
    expect(await ask()).toBe('empty');
    pass(1);
    expect(await ask()).toBe('changed without notice');
  });

  test('is not cached when a commit came during its load, and not returned to callers after the commit', async () => {
    const { ask, commit, model } = setting();
    model.block();
    const before = ask();
    commit('new', 11n);
    const after = ask();
    model.release();
    expect(await Promise.all([before, after])).toEqual(['empty', 'new']);
    expect(await ask()).toBe('new');
  });

  test('is not returned to a caller who has seen a later position', async () => {
    const { ask, model, tracker } = setting();
    await ask();
    // This process has heard that the projection has moved on, but not that rows have changed.
    model.write('newer');
    tracker.moved({ projection: 'videos', partition: 0, partitions: 1, position: 20n, changed: false });
    expect(await ask({ minPosition: 10n })).toBe('empty');
    expect(await ask({ minPosition: 11n })).toBe('newer');
  });

  test('does not make a caller wait for its load who has seen a later position', async () => {
    const { ask, model, tracker } = setting();
    model.block();
    const early = ask();
    model.write('newer');
    tracker.moved({ projection: 'videos', partition: 0, partitions: 1, position: 20n, changed: false });
    const late = ask({ minPosition: 20n });
    model.release();
    expect(await Promise.all([early, late])).toEqual(['empty', 'newer']);
  });

  test('may be undefined, which is cached too', async () => {
    const { ask } = setting();
    let loads = 0;
    const load = (): Promise<undefined> => Promise.resolve(void loads++);
    expect([await ask({ load }), await ask({ load }), loads]).toEqual([undefined, undefined, 1]);
  });

  test('is never an error: the next caller loads again', async () => {
    const { ask } = setting();
    await expect(ask({ load: () => Promise.reject(new Error('no database')) })).rejects.toThrow('no database');
    expect(await ask()).toBe('empty');
  });

  test('is evicted when memory is full', async () => {
    const { ask, model } = setting({ maxBytes: 3_000 });
    for (let index = 0; index < 20; index++) await ask({ key: `feed ${index}` });
    const before = model.loads;
    await ask({ key: 'feed 19' });
    expect(model.loads).toBe(before);
    await ask({ key: 'feed 0' });
    expect(model.loads).toBe(before + 1);
  });
});

describe('an answer that another process may have loaded', () => {
  function sharedShelf() {
    const entries = new Map<string, SharedEntry>();
    const shared: SharedCache = {
      read: (key) => Promise.resolve(entries.get(key)),
      write: (key, entry) => void entries.set(key, entry),
    };
    return { entries, shared };
  }

  const entry = (text: string, stamp: bigint[], msLeft = 500): SharedEntry => ({
    bytes: Buffer.from(text),
    stamp,
    msLeft,
  });

  test('is used when it includes everything that this process has heard of', async () => {
    const { entries, shared } = sharedShelf();
    const { ask, model } = setting({ shared });
    entries.set('feed', entry('theirs', [10n]));
    expect([await ask(), model.loads]).toEqual(['theirs', 0]);
  });

  test('is valid no longer than in the process that loaded it', async () => {
    const { entries, shared } = sharedShelf();
    const { ask, pass } = setting({ shared });
    entries.set('feed', entry('theirs', [10n], 200));
    await ask();
    entries.clear();
    pass(199);
    expect(await ask()).toBe('theirs');
    pass(1);
    expect(await ask()).toBe('empty');
  });

  test.each([
    ['at an earlier position', [9n], 1],
    ['with another number of partitions', [10n, 10n], 1],
    ['at an earlier position of one partition and a later one of the other', [99n, 9n], 2],
  ])('is not used when it was loaded %s', async (_, stamp, partitions) => {
    const { entries, shared } = sharedShelf();
    const { ask } = setting({ shared, partitions });
    entries.set('feed', entry('theirs', stamp));
    expect(await ask()).toBe('empty');
  });

  test('is not used for a caller who has seen a later position', async () => {
    const { entries, shared } = sharedShelf();
    const { ask } = setting({ shared });
    entries.set('feed', entry('theirs', [10n]));
    expect(await ask({ minPosition: 11n })).toBe('empty');
  });

  test('is shared with the stamp from before its load', async () => {
    const { entries, shared } = sharedShelf();
    const { ask } = setting({ shared });
    await ask();
    expect(entries.get('feed')).toEqual({ bytes: Buffer.from('empty'), stamp: [10n], msLeft: MAX_AGE_MS });
  });

  test('is not shared when a commit came during its load', async () => {
    const { entries, shared } = sharedShelf();
    const { ask, commit, model } = setting({ shared });
    model.block();
    const answer = ask();
    await Promise.resolve();
    commit('new', 11n);
    model.release();
    await answer;
    expect(entries.size).toBe(0);
  });
});
