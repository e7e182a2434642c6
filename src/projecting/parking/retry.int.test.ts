import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { viewed, viewsOf } from '../../../tests/support/countingViews.ts';
import { discard, recordDiscard } from '../../../tests/support/discarding.ts';
import { createProjectingTest, type ProjectingTest, type RunningProjector } from '../../../tests/support/projecting.ts';
import { trails, trailsOf } from '../../../tests/support/trails.ts';
import { partitionOf } from '../../core/partitions.ts';
import { applyBatches } from '../applyBatch.ts';
import { readCheckpoints } from '../checkpoints.ts';
import { ensureLayout } from '../rebuilding/layout.ts';
import { exclusively } from '../rebuilding/exclusively.ts';
import { rebuild } from '../rebuilding/rebuild.ts';
import { verify } from '../rebuilding/verify.ts';
import { countParked } from '../status.ts';
import { discardParked } from './discard.ts';
import { listParked, type ParkedEvent } from './parkedEvents.ts';
import { retryParked } from './retry.ts';

let t: ProjectingTest;
/** The viewers whose views cannot be applied. A test that removes one fixes the cause. */
let broken: Set<string>;
beforeEach(async () => {
  t = await createProjectingTest();
  broken = new Set();
});
afterEach(async () => {
  await t[Symbol.asyncDispose]();
});

const consumer = trails({ refuse: (viewer) => broken.has(viewer) });
const view = (video: number, ...viewers: string[]): Promise<bigint> =>
  t.append(viewsOf(video), ...viewers.map((viewer) => viewed(video, viewer)));
const parked = async (): Promise<readonly ParkedEvent[]> =>
  (await listParked(t.pool, consumer, { after: 0n, limit: 1_000 })).events;
const trailOf = async (video: number): Promise<string[] | undefined> => (await trailsOf(t.pool))[viewsOf(video)];

/** Runs the projection. Video 1 has the viewers a, bad, c, d, of which bad cannot be applied. */
async function runWithParked({ partitions = 1 } = {}): Promise<RunningProjector> {
  broken.add('bad');
  const running = await t.run([consumer], { partitions });
  await view(1, 'a', 'bad', 'c');
  await view(2, 'x');
  await running.reached('trails', await view(1, 'd'));
  expect(await trailsOf(t.pool)).toEqual({ [viewsOf(1)]: ['a'], [viewsOf(2)]: ['x'] });
  return running;
}

describe.each([1, 4])('with %d partitions, a retry', (partitions) => {
  test('applies the parked events of a stream in order, and the stream is free again', async () => {
    const { reached } = await runWithParked({ partitions });
    const [first, ...others] = await parked();
    expect(others.map(({ waitsFor, attempts }) => [waitsFor, attempts])).toEqual([
      [first!.id, 0],
      [first!.id, 0],
    ]);
    broken.clear();
    expect(await retryParked(t.of(consumer), first!.id)).toEqual({
      stream: viewsOf(1),
      applied: 3,
      failed: undefined,
      parked: 0,
    });
    await reached('trails', await view(1, 'e'));
    expect(await trailOf(1)).toEqual(['a', 'bad', 'c', 'd', 'e']);
    expect(await parked()).toEqual([]);
    const checkpoints = await readCheckpoints(t.pool, 'trails');
    expect(checkpoints[partitionOf(viewsOf(1), partitions)]!.parks).toBe(false);
    expect((await verify(t.of(consumer))).identical).toBe(true);
  });

  test('applies each event once and in order while live delivery goes on and others retry as well', async () => {
    const { reached } = await runWithParked({ partitions });
    // More than one batch of parked events.
    await view(1, ...Array.from({ length: 700 }, (_, n) => `p${n}`));
    const [first] = await parked();
    broken.clear();
    const flowing = (async () => {
      let position = 0n;
      for (let n = 0; n < 100; n++) position = await view(1, `l${n}`);
      return position;
    })();
    const results = await Promise.allSettled([1, 2, 3].map(() => retryParked(t.of(consumer), first!.id)));
    await reached('trails', await flowing);
    const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    expect(refused).toEqual(Array(2).fill(expect.objectContaining({ code: 'parked_event_not_found' })));
    const expected = ['a', 'bad', 'c', 'd'];
    for (let n = 0; n < 700; n++) expected.push(`p${n}`);
    for (let n = 0; n < 100; n++) expected.push(`l${n}`);
    expect(await trailOf(1)).toEqual(expected);
    expect(await parked()).toEqual([]);
  });
});

describe('a retry', () => {
  test('of an event that fails again changes only the number of tries and the error', async () => {
    await runWithParked();
    const [first] = await parked();
    const { applied, failed, parked: left } = await retryParked(t.of(consumer), first!.id);
    expect([applied, failed, left]).toEqual([0, { ...first, attempts: first!.attempts + 1 }, 3]);
    expect((await parked())[0]).toEqual(failed);
    expect(await trailOf(1)).toEqual(['a']);
  });

  test('stops at the next event that fails', async () => {
    await runWithParked();
    const [first, second, third] = await parked();
    broken = new Set(['d']);
    expect(await retryParked(t.of(consumer), first!.id)).toMatchObject({ applied: 2, parked: 1 });
    expect(await trailOf(1)).toEqual(['a', 'bad', 'c']);
    expect(await parked()).toEqual([{ ...third, attempts: 1, error: 'cannot apply d', waitsFor: null }]);
    await expect(retryParked(t.of(consumer), second!.id)).rejects.toMatchObject({ code: 'parked_event_not_found' });
  });

  test('of a later event names the first one of its stream', async () => {
    await runWithParked();
    const [first, second] = await parked();
    broken.clear();
    await expect(retryParked(t.of(consumer), second!.id)).rejects.toMatchObject({
      code: 'not_first_parked',
      message: expect.stringContaining(first!.id),
    });
    expect(await trailOf(1)).toEqual(['a']);
  });

  test('leaves the parked events of other streams alone, and live delivery goes on parking behind them', async () => {
    const { reached } = await runWithParked();
    await reached('trails', await view(3, 'bad', 'y'));
    const [first] = await parked();
    const { length } = await parked();
    broken.delete('bad');
    broken.add('nothing');
    await retryParked(t.of(consumer), first!.id);
    await reached('trails', await view(3, 'z'));
    expect((await parked()).map(({ stream }) => stream)).toEqual(Array(length - 3 + 1).fill(viewsOf(3)));
    expect(await trailOf(3)).toBeUndefined();
  });

  test('of a program of another version changes nothing', async () => {
    await runWithParked();
    const [first] = await parked();
    broken.clear();
    await expect(retryParked(t.of(trails({ version: 2 })), first!.id)).rejects.toMatchObject({
      code: 'other_version_in_place',
    });
    expect(await parked()).toHaveLength(3);
  });

  test('of a consumer that has never run finds nothing', async () => {
    await expect(retryParked(t.of(consumer), crypto.randomUUID())).rejects.toMatchObject({
      code: 'parked_event_not_found',
    });
    expect(await parked()).toEqual([]);
  });

  test('while the layout changes and rebuilds run ends with every event applied once', async () => {
    await (await runWithParked()).stop();
    for (let round = 0; round < 5; round++) {
      broken.add('bad');
      const { reached, stop } = await t.run([consumer], { partitions: (round % 3) + 1 });
      await reached('trails', await view(10 + round, 'bad', 'q'));
      await stop();
      const [first] = (await parked()).filter(({ stream }) => stream === viewsOf(10 + round));
      broken.clear();
      const others = [ensureLayout(t.of(consumer), 5), rebuild(t.of(consumer))];
      const [retried] = await Promise.allSettled([retryParked(t.of(consumer), first!.id), ...others]);
      // The rebuild was first and has applied the event.
      if (retried.status === 'rejected') expect(retried.reason).toMatchObject({ code: 'parked_event_not_found' });
      expect(await trailOf(10 + round)).toEqual(['bad', 'q']);
      expect((await verify(t.of(consumer))).identical).toBe(true);
    }
  });
});

describe('a discard', () => {
  test('removes one event, applies the later ones, and holds in rebuilds and verifications', async () => {
    const { reached } = await runWithParked();
    const [first] = await parked();
    expect(await discard(t, t.of(consumer), first!.id)).toMatchObject({ applied: 2, failed: undefined, parked: 0 });
    await reached('trails', await view(1, 'e'));
    expect(await trailOf(1)).toEqual(['a', 'c', 'd', 'e']);
    // The program is fixed, and still must not apply it.
    broken.clear();
    expect((await verify(t.of(consumer))).identical).toBe(true);
    await rebuild(t.of(consumer));
    expect(await trailOf(1)).toEqual(['a', 'c', 'd', 'e']);
    expect(await countParked(t.pool, 'trails')).toBe(0);
  });

  test('holds when live delivery goes back to before the event', async () => {
    const running = await runWithParked();
    const [first] = await parked();
    await discard(t, t.of(consumer), first!.id);
    await running.stop();
    await t.pool.query('truncate trails.trail; update trails.checkpoints set position = 0');
    broken.clear();
    const { reached } = await t.run([consumer]);
    await reached('trails', await t.store.head());
    expect(await trailOf(1)).toEqual(['a', 'c', 'd']);
  });

  test('that was recorded before its process died is finished by the same discard', async () => {
    await runWithParked();
    const [first] = await parked();
    await expect(
      discardParked(t.of(consumer), first!.id, async (event) => {
        await recordDiscard(t, 'trails', event);
        throw new Error('killed');
      }),
    ).rejects.toThrow('killed');
    expect(await parked()).toHaveLength(3);
    expect(await discardParked(t.of(consumer), first!.id, () => Promise.resolve())).toMatchObject({ parked: 0 });
    expect(await trailOf(1)).toEqual(['a', 'c', 'd']);
  });

  test('is refused during a rebuild, and one that was interrupted begins again without the event', async () => {
    await runWithParked();
    const [first] = await parked();
    await exclusively(t.pool, 'trails', async () => {
      await expect(discard(t, t.of(consumer), first!.id)).rejects.toMatchObject({ code: 'rebuild_under_way' });
    });
    broken.clear();
    const stopped = new AbortController();
    const killed = rebuild({
      ...t.of(consumer),
      signal: stopped.signal,
      onProgress: () => stopped.abort(new Error('killed')),
    });
    await expect(killed).rejects.toThrow('killed');
    expect((await readCheckpoints(t.pool, 'trails__next'))[0]!.position).toBeGreaterThan(first!.position);
    await discard(t, t.of(consumer), first!.id);
    await rebuild(t.of(consumer));
    expect(await trailOf(1)).toEqual(['a', 'c', 'd']);
    expect((await verify(t.of(consumer))).identical).toBe(true);
  });

  test('of an event whose followers fail leaves the first of them parked, with its error', async () => {
    await runWithParked();
    const [first, second] = await parked();
    broken.add('c');
    expect(await discard(t, t.of(consumer), first!.id)).toMatchObject({
      applied: 0,
      failed: { id: second!.id, attempts: 1, error: 'cannot apply c', waitsFor: null },
      parked: 2,
    });
  });
});

test('a batch applies nothing that was discarded', async () => {
  await runWithParked();
  const position = await t.store.head();
  const events = [];
  for await (const page of t.store.readAll({ after: 0n })) events.push(...page.events);
  await t.pool.query('truncate trails.trail, trails.parked_events; update trails.checkpoints set position = 0');
  const discarded = (): Promise<Set<bigint>> => Promise.resolve(new Set([2n]));
  await applyBatches({ ...t.of(consumer), discarded }, 1, [{ partition: 0, after: 0n, position, events }]);
  expect(await trailOf(1)).toEqual(['a', 'c', 'd']);
});
