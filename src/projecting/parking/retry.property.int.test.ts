import { expect, jest, test } from '@jest/globals';
import { viewed, viewsOf } from '../../../tests/support/countingViews.ts';
import { discard } from '../../../tests/support/discarding.ts';
import { createProjectingTest } from '../../../tests/support/projecting.ts';
import { fc } from '../../../tests/support/property.ts';
import { trails, trailsOf } from '../../../tests/support/trails.ts';
import { install } from '../checkpoints.ts';
import { catchUp } from '../rebuilding/catchUp.ts';
import { rebuild } from '../rebuilding/rebuild.ts';
import { verify } from '../rebuilding/verify.ts';
import { listParked } from './parkedEvents.ts';
import { retryParked } from './retry.ts';

jest.setTimeout(120_000);

const VIDEOS = 3;
const VIEWERS = ['a', 'b', 'c', 'd'];

/** `video` names a stream. `broken`: from now on, views of these viewers cannot be applied, and others can. */
const step = fc.oneof(
  fc.record({ does: fc.constant('view' as const), video: fc.nat(VIDEOS - 1), viewers: fc.subarray(VIEWERS) }),
  fc.record({ does: fc.constant('break' as const), broken: fc.subarray(VIEWERS, { maxLength: 2 }) }),
  fc.record({ does: fc.constant('retry' as const), video: fc.nat(VIDEOS - 1) }),
  fc.record({ does: fc.constant('discard' as const), video: fc.nat(VIDEOS - 1) }),
  fc.record({ does: fc.constant('rebuild' as const) }),
);

/** What must become of one stream. */
class Expected {
  log: string[] = [];
  applied: string[] = [];
  parked: string[] = [];

  arrive(viewers: readonly string[], broken: ReadonlySet<string>): void {
    this.log.push(...viewers);
    const wasFree = this.parked.length === 0;
    this.parked.push(...viewers);
    if (wasFree) this.retry(broken);
  }

  retry(broken: ReadonlySet<string>): void {
    while (this.parked.length > 0 && !broken.has(this.parked[0]!)) this.applied.push(this.parked.shift()!);
  }

  discard(broken: ReadonlySet<string>): void {
    // The first parked event comes after those that were applied.
    this.log.splice(this.applied.length, 1);
    this.parked.shift();
    this.retry(broken);
  }

  rebuild(broken: ReadonlySet<string>): void {
    this.applied = [];
    this.parked = [...this.log];
    this.retry(broken);
  }
}

test('after any failures, retries, discards and rebuilds, the rows equal a replay of the log without the discarded events', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 25 }), async (steps) => {
      await using t = await createProjectingTest();
      let broken: ReadonlySet<string> = new Set<string>();
      const consumer = trails({ refuse: (viewer) => broken.has(viewer) });
      const options = t.of(consumer);
      await install(t.pool, consumer, 'trails');
      const streams = Array.from({ length: VIDEOS }, () => new Expected());

      const firstParked = async (video: number): Promise<string | undefined> => {
        const { events } = await listParked(t.pool, consumer, { after: 0n, limit: 1_000 });
        expect(events.map(({ stream }) => stream).toSorted()).toEqual(
          streams.flatMap(({ parked }, n) => parked.map(() => viewsOf(n))).toSorted(),
        );
        return events.find(({ stream, waitsFor }) => stream === viewsOf(video) && waitsFor === null)?.id;
      };

      for (const each of steps) {
        if (each.does === 'break') broken = new Set(each.broken);
        if (each.does === 'view' && each.viewers.length > 0) {
          await t.append(viewsOf(each.video), ...each.viewers.map((viewer) => viewed(each.video, viewer)));
          await catchUp(options);
          streams[each.video]!.arrive(each.viewers, broken);
        }
        if (each.does === 'retry' || each.does === 'discard') {
          const id = await firstParked(each.video);
          if (id !== undefined) await (each.does === 'retry' ? retryParked(options, id) : discard(t, options, id));
          if (id !== undefined) streams[each.video]![each.does](broken);
        }
        if (each.does === 'rebuild') {
          await rebuild(options);
          for (const stream of streams) stream.rebuild(broken);
        }
        expect(await trailsOf(t.pool)).toEqual(rowsOf(streams.map(({ applied }) => applied)));
      }

      broken = new Set();
      for (const [video, stream] of streams.entries()) {
        const id = await firstParked(video);
        if (id !== undefined) await retryParked(options, id);
        stream.retry(broken);
      }
      const all = rowsOf(streams.map(({ log }) => log));
      expect(await trailsOf(t.pool)).toEqual(all);
      expect((await verify(options)).identical).toBe(true);
      await rebuild(options);
      expect(await trailsOf(t.pool)).toEqual(all);
    }),
    { numRuns: 20 },
  );
});

function rowsOf(viewers: readonly (readonly string[])[]): Record<string, readonly string[]> {
  return Object.fromEntries(
    viewers.map((each, video) => [viewsOf(video), each] as const).filter(([, each]) => each.length > 0),
  );
}
