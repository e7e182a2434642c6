import { describe, expect, test } from '@jest/globals';
import { feedEventTypes, topicsOf, viewFor, type FeedEvent } from './visibleEvents.ts';

const at = '2025-01-02T03:04:05.000Z';
const object = { key: 'originals/v/secret.mp4', size: 1 };
const facts = { duration: 1, width: 2, height: 2 };
const data: { [Type in FeedEvent['type']]: Extract<FeedEvent, { type: Type }>['data'] } = {
  VideoUploaded: { videoId: 'v', ownerId: 'owner', title: 'T', description: 'D', original: object, facts, at },
  VideoProcessed: { videoId: 'v', ownerId: 'owner', video: object, thumbnail: object, facts, at },
  VideoProcessingFailed: { videoId: 'v', ownerId: 'owner', reason: 'R', at },
  VideoProcessingRetried: { videoId: 'v', ownerId: 'owner', original: object, at },
  VideoDetailsChanged: { videoId: 'v', ownerId: 'owner', title: 'T', description: 'D', at },
  VideoDeleted: { videoId: 'v', ownerId: 'owner', wasPublic: true, at },
  VideoLiked: { videoId: 'v', userId: 'fan', ownerId: 'owner', at },
  VideoUnliked: { videoId: 'v', userId: 'fan', ownerId: 'owner', at },
  VideoViewed: { videoId: 'v', ownerId: 'owner', viewer: 'user:fan', at },
};
const event = (type: FeedEvent['type']): FeedEvent =>
  ({ type, data: data[type], position: 7n }) as unknown as FeedEvent;

describe('whoever hears of an event', () => {
  test.each(feedEventTypes)('%s: its owner always', (type) => {
    expect(topicsOf(event(type))).toContain('me:owner');
  });

  test('the public hears of videos that can be watched, and of no other', () => {
    expect(feedEventTypes.filter((type) => topicsOf(event(type)).includes('feed'))).toEqual([
      'VideoProcessed',
      'VideoDeleted',
    ]);
    for (const type of ['VideoUploaded', 'VideoProcessingFailed', 'VideoProcessingRetried'] as const)
      expect(topicsOf(event(type))).toEqual(['me:owner']);
    const neverPublic = { ...event('VideoDeleted'), data: { ...data.VideoDeleted, wasPublic: false } } as FeedEvent;
    expect(topicsOf(neverPublic)).toEqual(['me:owner']);
  });

  test.each(feedEventTypes)('%s: nobody learns who did it, where the original is, or what is not public', (type) => {
    const seen = JSON.stringify(viewFor(event(type), undefined));
    expect(seen).not.toMatch(/fan|secret/);
    if (!topicsOf(event(type)).every((topic) => topic === 'me:owner')) expect(seen).not.toContain('"T"');
    expect(viewFor(event(type), 'owner')).toMatchObject({ position: '7', type, time: at, data: { videoId: 'v' } });
  });
});
