import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { histories, interleaved, type LoggedEvent } from '../../../../tests/support/histories.ts';
import { asUuid } from '../../../../tests/support/ids.ts';
import { createProjectingTest, type ProjectingTest } from '../../../../tests/support/projecting.ts';
import { fc } from '../../../../tests/support/property.ts';
import { install } from '../../../projecting/checkpoints.ts';
import { catchUp } from '../../../projecting/rebuilding/catchUp.ts';
import { readModelConsumers, type ReelStreamEvent } from '../../index.ts';
import { viewRuleNamed } from '../viewRules/index.ts';
import { replayViews, type Replay, type ReplayOptions } from './replayViews.ts';

const names = ['counted', 'daily-unique', 'not-the-owner', 'daily-unique+not-the-owner'];
const rules = names.map((name) => viewRuleNamed(name)!);
const ever = { start: '2000-01-01', end: '2099-12-31' };

let t: ProjectingTest;
beforeEach(async () => {
  t = await createProjectingTest();
});
afterEach(async () => t[Symbol.asyncDispose]());

async function record(log: readonly LoggedEvent[]): Promise<void> {
  for (const { stream, event } of log) await t.append(stream, event as ReelStreamEvent);
}

const replay = (options: Partial<ReplayOptions> = {}): Promise<Replay> =>
  replayViews({ store: t.store, rules, range: ever, ...options });

/** The views of each day that the projection has under a rule, applied in batches of this size. */
async function liveViews(rule: (typeof rules)[number], batchSize: number): Promise<Record<string, number>> {
  const consumer = readModelConsumers({ viewRule: rule }).find(({ name }) => name === 'analytics')!;
  await t.pool.query('drop schema if exists analytics cascade');
  await install(t.pool, consumer, 'analytics');
  const { store } = t;
  await catchUp({ ...t.of(consumer), store: { readAll: (options) => store.readAll({ ...options, batchSize }) } });
  const { rows } = await t.pool.query<{ day: string; views: bigint }>(
    'select day, sum(views) as views from analytics.daily group by day having sum(views) > 0',
  );
  return Object.fromEntries(rows.map(({ day, views }) => [day, Number(views)]));
}

describe('a replay of views', () => {
  test('gives for each rule what analytics count under it, whatever the history and however the log is cut', async () => {
    await fc.assert(
      fc.asyncProperty(histories().chain(interleaved), fc.integer({ min: 1, max: 30 }), async (log, batchSize) => {
        await t[Symbol.asyncDispose]();
        t = await createProjectingTest();
        await record(log);
        const { days, total, position } = await replay();
        expect(position).toBe(BigInt(log.length));
        expect(total.views['counted']).toBe(log.filter(({ event }) => event.type === 'VideoViewed').length);
        for (const rule of rules) {
          const replayed = days.map(({ date, views }) => [date, views[rule.name]] as const);
          expect(await liveViews(rule, batchSize)).toEqual(
            Object.fromEntries(replayed.filter(([, views]) => views! > 0)),
          );
        }
      }),
      { numRuns: 10, interruptAfterTimeLimit: 40_000 },
    );
  });

  const [ann, bob] = [asUuid('user', 1), asUuid('user', 2)];

  async function viewed(day: string, video: number, ownerId: string, ...viewers: string[]): Promise<void> {
    const videoId = asUuid('video', video);
    const at = `${day}T12:00:00.000Z`;
    await t.append(
      `views-${videoId}_${day}`,
      ...viewers.map((viewer) => ({ type: 'VideoViewed' as const, data: { videoId, ownerId, viewer, at } })),
    );
  }

  beforeEach(async () => {
    await viewed('2025-01-31', 1, ann, `user:${ann}`, `user:${bob}`, `user:${bob}`);
    await viewed('2025-02-01', 1, ann, `user:${bob}`);
    await viewed('2025-02-01', 2, bob, `user:${bob}`, 'addr:x');
  });

  test('shows the views of each day under each rule, with the difference to the first', async () => {
    expect(await replay()).toEqual({
      rules: names,
      days: [
        {
          date: '2025-01-31',
          views: { counted: 3, 'daily-unique': 2, 'not-the-owner': 2, 'daily-unique+not-the-owner': 1 },
          difference: { 'daily-unique': -1, 'not-the-owner': -1, 'daily-unique+not-the-owner': -2 },
        },
        {
          date: '2025-02-01',
          views: { counted: 3, 'daily-unique': 3, 'not-the-owner': 2, 'daily-unique+not-the-owner': 2 },
          difference: { 'daily-unique': 0, 'not-the-owner': -1, 'daily-unique+not-the-owner': -1 },
        },
      ],
      total: {
        views: { counted: 6, 'daily-unique': 5, 'not-the-owner': 4, 'daily-unique+not-the-owner': 3 },
        difference: { 'daily-unique': -1, 'not-the-owner': -2, 'daily-unique+not-the-owner': -3 },
      },
      position: 6n,
    });
  });

  test('is of the days, the owner and the video that are asked for', async () => {
    const counted = async (options: Partial<ReplayOptions>): Promise<unknown> =>
      (await replay(options)).days.map(({ date, views }) => [date, views['counted']]);
    expect(await counted({ range: { start: '2025-01-30', end: '2025-01-31' } })).toEqual([['2025-01-31', 3]]);
    expect(await counted({ ownerId: bob })).toEqual([['2025-02-01', 2]]);
    expect(await counted({ videoId: asUuid('video', 1) })).toEqual([
      ['2025-01-31', 3],
      ['2025-02-01', 1],
    ]);
    expect(await counted({ range: { start: '2025-03-01', end: '2025-03-02' } })).toEqual([]);
  });

  test('tells how far it is, and ends when its caller leaves', async () => {
    const seen: [bigint, bigint][] = [];
    await replay({ onProgress: ({ position, head }) => void seen.push([position, head]) });
    expect(seen.at(-1)).toEqual([6n, 6n]);
    const leaving = new AbortController();
    const left = replay({ signal: leaving.signal, onProgress: () => leaving.abort(new Error('left')) });
    await expect(left).rejects.toThrow('left');
  });
});
