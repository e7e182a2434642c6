import fc from 'fast-check';
import type { ReelStreamEvent } from '../../src/features/index.ts';
import { asUuid } from './ids.ts';

/** What one stream went through. */
export interface StreamHistory {
  readonly stream: string;
  readonly events: readonly ReelStreamEvent[];
}

/** A moment: the n-th hour of three days, so that days are crossed. */
const at = (hour: number): string => new Date(Date.UTC(2025, 0, 30, hour % 72, hour)).toISOString();
const facts = { duration: 12.5, width: 640, height: 360 };

const hour = fc.nat({ max: 71 });

function userHistory(n: number): fc.Arbitrary<StreamHistory> {
  const userId = asUuid('user', n);
  return hour.map((h) => ({
    stream: `user-${userId}`,
    events: [
      {
        type: 'UserRegistered',
        data: {
          userId,
          name: `Name ${n}`,
          username: `user${n}`,
          email: `u${n}@example.org`,
          passwordHash: 'x',
          at: at(h),
        },
      },
    ],
  }));
}

function videoHistory(n: number, owners: number): fc.Arbitrary<StreamHistory> {
  const videoId = asUuid('video', n);
  const ownerId = asUuid('user', n % owners);
  const step = fc.constantFrom('processed', 'failed', 'retried', 'changed');
  return fc
    .tuple(hour, fc.array(fc.tuple(step, hour), { maxLength: 4 }), fc.boolean())
    .map(([uploaded, steps, deleted]) => {
      const events: ReelStreamEvent[] = [
        {
          type: 'VideoUploaded',
          data: {
            videoId,
            ownerId,
            title: `Title ${n}`,
            description: '',
            original: { key: `o${n}`, size: 1 },
            facts,
            at: at(uploaded),
          },
        },
      ];
      for (const [what, h] of steps) {
        const common = { videoId, ownerId, at: at(h) };
        if (what === 'processed')
          events.push({
            type: 'VideoProcessed',
            data: { ...common, video: { key: 'v', size: 1 }, thumbnail: { key: 't', size: 1 }, facts },
          });
        else if (what === 'failed')
          events.push({ type: 'VideoProcessingFailed', data: { ...common, reason: 'It could not be read.' } });
        else if (what === 'retried')
          events.push({ type: 'VideoProcessingRetried', data: { ...common, original: { key: `o${n}`, size: 1 } } });
        else
          events.push({
            type: 'VideoDetailsChanged',
            data: { ...common, title: `Title ${h}`, description: 'changed' },
          });
      }
      if (deleted)
        events.push({
          type: 'VideoDeleted',
          data: { videoId, ownerId, wasPublic: steps.some(([what]) => what === 'processed'), at: at(71) },
        });
      return { stream: `video-${videoId}`, events };
    });
}

function likeHistory(video: number, user: number, owners: number): fc.Arbitrary<StreamHistory> {
  const videoId = asUuid('video', video);
  const data = { videoId, userId: asUuid('user', user), ownerId: asUuid('user', video % owners) };
  return fc
    .array(hour, { maxLength: 4 })
    .map((hours) => ({
      stream: `like-${videoId}_${data.userId}`,
      events: hours.map((h, n) => ({
        type: n % 2 === 0 ? 'VideoLiked' : 'VideoUnliked',
        data: { ...data, at: at(h) },
      })),
    }));
}

function viewHistory(video: number, owners: number): fc.Arbitrary<StreamHistory> {
  const videoId = asUuid('video', video);
  return fc
    .array(hour, { maxLength: 5 })
    .map((hours) => ({
      stream: `views-${videoId}_2025-01-30`,
      events: hours.map((h, n) => ({
        type: 'VideoViewed',
        data: { videoId, ownerId: asUuid('user', video % owners), viewer: `user:${n}`, at: at(h) },
      })),
    }));
}

/** What a few users did with a few videos, stream by stream. */
export function histories(users = 3, videos = 4): fc.Arbitrary<StreamHistory[]> {
  const range = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
  return fc
    .tuple(
      ...range(users).map(userHistory),
      ...range(videos).map((n) => videoHistory(n, users)),
      ...range(videos).flatMap((video) => range(users).map((user) => likeHistory(video, user, users))),
      ...range(videos).map((video) => viewHistory(video, users)),
    )
    .map((all) => all.filter(({ events }) => events.length > 0));
}

/** All events of the streams, in an order that keeps each stream's own; `seed` chooses among them. */
export function interleave(
  streams: readonly StreamHistory[],
  seed: number,
): { stream: string; event: ReelStreamEvent }[] {
  const random = mulberry32(seed);
  const left = streams
    .map(({ stream, events }) => ({ stream, events: [...events] }))
    .filter(({ events }) => events.length > 0);
  const order: { stream: string; event: ReelStreamEvent }[] = [];
  while (left.length > 0) {
    const index = Math.floor(random() * left.length);
    const { stream, events } = left[index]!;
    order.push({ stream, event: events.shift()! });
    if (events.length === 0) left.splice(index, 1);
  }
  return order;
}

/** A small seeded generator of numbers in [0, 1) (Tommy Ettinger, public domain). */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
