import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { eventually } from '../../../tests/support/eventually.ts';
import { startFeatures, type FeaturesTest, type FeatureUser } from '../../../tests/support/features.ts';
import type { Analytics } from '../../../tests/support/systemClient.ts';
import { readCheckpoints } from '../../projecting/checkpoints.ts';
import { readModelConsumers } from '../index.ts';
import { viewRuleNamed } from './index.ts';

const DAY = '2025-01-31';
const VIEWS = 40;

let features: FeaturesTest;
let owner: FeatureUser;
let videoId: string;
/** One viewer views a video again and again, so that the rules give different numbers. */
beforeEach(async () => {
  features = await startFeatures();
  owner = await features.user('Owner');
  videoId = await features.video(owner);
  await features.reached(await viewed(VIEWS));
});
afterEach(async () => features[Symbol.asyncDispose]());

function viewed(times: number, viewer = 'user:fan'): Promise<bigint> {
  const data = { videoId, ownerId: owner.id, viewer, at: `${DAY}T12:00:00.000Z` };
  const events = Array.from({ length: times }, () => ({ type: 'VideoViewed' as const, data }));
  return features.projecting.append(`views-${videoId}_${DAY}`, ...events);
}

interface Seen {
  readonly status: number;
  readonly rule: unknown;
  readonly totalViews: number;
  readonly overTime: number;
  readonly top: number | undefined;
}

/** Asks for the analytics without a pause, several times at once, until `stop`. Returns every answer. */
function askAlways(): { stop(): Promise<Seen[]> } {
  const seen: Seen[] = [];
  let isOver = false;
  async function ask(): Promise<void> {
    while (!isOver) {
      const { status, data, body } = await features.call<Analytics>('GET', '/api/v1/analytics', { token: owner.token });
      seen.push({
        status,
        rule: (body.meta as { rule?: unknown } | undefined)?.rule,
        totalViews: data?.totalViews,
        overTime: data?.viewsOverTime?.reduce((sum, { count }) => sum + count, 0),
        top: data?.topVideos?.[0]?.viewCount,
      });
    }
  }
  const asking = Promise.all(Array.from({ length: 6 }, ask));
  return {
    async stop() {
      isOver = true;
      await asking;
      return seen;
    },
  };
}

test('a start under another view rule changes the numbers and the rule that answers name at the same moment, and no query fails', async () => {
  const numbers: Readonly<Record<string, number>> = { counted: VIEWS, 'daily-unique': 1 };
  const asking = askAlways();
  for (const rule of ['daily-unique', 'counted', 'daily-unique', 'counted', 'daily-unique']) {
    const { stop } = await features.projecting.run(readModelConsumers({ viewRule: viewRuleNamed(rule)! }));
    const variant = rule === 'counted' ? '' : rule;
    await eventually(
      async () => {
        const [checkpoint] = await readCheckpoints(features.projecting.pool, 'analytics');
        return checkpoint?.variant === variant;
      },
      { what: `analytics are counted under ${rule}` },
    );
    await stop();
  }
  const seen = await asking.stop();
  const wrong = seen.filter(({ status, rule, totalViews, overTime, top }) => {
    const number = numbers[String(rule)];
    return status !== 200 || [totalViews, overTime, top].some((each) => each !== number);
  });
  expect(wrong).toEqual([]);
  expect(new Set(seen.map(({ rule }) => rule))).toEqual(new Set(Object.keys(numbers)));
});

test('views that arrive under the new rule are counted under it', async () => {
  await features.project(false);
  const { reached, stop } = await features.projecting.run(
    readModelConsumers({ viewRule: viewRuleNamed('daily-unique+not-the-owner')! }),
  );
  await viewed(3, `user:${owner.id}`);
  await viewed(3, 'addr:another');
  await viewed(1);
  await reached('analytics', await features.projecting.store.head());
  await reached('videos', await features.projecting.store.head());
  const { data, body } = await features.call<Analytics>('GET', '/api/v1/analytics', { token: owner.token });
  expect([data.totalViews, body.meta]).toMatchObject([2, { rule: 'daily-unique+not-the-owner' }]);
  // The count of a video is what was recorded, whatever the rule.
  const video = await features.call<{ video: { viewCount: number } }>('GET', `/api/v1/video/${videoId}`);
  expect(video.data.video.viewCount).toBe(VIEWS + 7);
  await stop();
});
