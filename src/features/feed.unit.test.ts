import { describe, expect, test } from '@jest/globals';
import { topicsOf, viewOf, type FeedEvent } from '../realtime/feedDefinition.ts';
import { pushedEvent } from '../realtime/messages.ts';
import { feed, type ReelStreamEvent } from './index.ts';

const videoId = '01980a3c-5b1e-7c3a-9f52-7d1f0a6b2c11';
const ownerId = '01980a3b-11f0-7d4e-8a4f-3c2b9d6e1a70';
const userId = '01980a3b-22f0-7d4e-8a4f-3c2b9d6e1a71';
const at = '2026-03-01T12:00:00.000Z';
const object = { key: 'secret', size: 1 };
/** What the data of any event of the feed may hold. */
const everything = {
  videoId,
  ownerId,
  userId,
  sessionId: '01980a3b-33f0-7d4e-8a4f-3c2b9d6e1a72',
  at,
  viewer: `user:${userId}`,
  wasPublic: true,
  isPublic: true,
  visibility: 'public',
  before: 'private',
  isReady: true,
  access: 'public',
  title: 'Test card',
  description: 'Four seconds',
  reason: 'Too long.',
  original: object,
  video: object,
  thumbnail: object,
  facts: { duration: 4, width: 640, height: 360 },
};
const recorded = (type: string, data: object = everything): FeedEvent =>
  ({ position: 7n, type, data }) as unknown as FeedEvent;
const types = Object.keys(feed.rules) as ReelStreamEvent['type'][];
const owner = `me:${ownerId}`;

describe('an event of the feed', () => {
  test.each(types)('%s: the owner of the video or the user who did it gets it', (type) => {
    const topics = topicsOf(feed, recorded(type));
    expect([owner, `me:${userId}`].some((topic) => topics.includes(topic))).toBe(true);
  });

  test.each(types)('%s: what is pushed is what its schema says, to its owner and to strangers', (type) => {
    for (const reader of [ownerId, undefined]) {
      const { data, ...envelope } = viewOf(feed, recorded(type), reader);
      expect(pushedEvent.omit({ data: true }).strict().parse(envelope)).toEqual({ position: '7', type, time: at });
      expect(feed.rules[type]!.schema.strict().parse(data)).toEqual(data);
    }
  });

  test.each(types)('%s: does not show who did it, where files are, or what is not public', (type) => {
    const topics = topicsOf(feed, recorded(type));
    const seen = JSON.stringify(viewOf(feed, recorded(type), undefined));
    expect(seen).not.toMatch(/secret/);
    expect(seen).not.toContain(userId);
    const isPublic = !topics.every((topic) => topic.startsWith('me:'));
    expect(isPublic && seen.includes('Test card')).toBe(false);
  });

  test.each(types)('%s: the document names the topics that it goes to', (type) => {
    const kinds = new Set(topicsOf(feed, recorded(type)).map((topic) => topic.replace(/:.*/, '')));
    const named = feed.rules[type]!.audience.join(' ').matchAll(/`(\w+)[^`]*`/g);
    expect(new Set([...named].map(([, kind]) => kind))).toEqual(kinds);
  });
});

describe('the public', () => {
  test('gets events of videos that can be watched, and of no others', () => {
    const toEveryone = types.filter((type) => topicsOf(feed, recorded(type)).includes('feed'));
    expect(toEveryone).toEqual([
      'VideoProcessed',
      'VideoVisibilityChanged',
      'VideoHidden',
      'VideoRestored',
      'VideoDeleted',
    ]);
    expect(topicsOf(feed, recorded('VideoDeleted', { ...everything, wasPublic: false }))).toEqual([owner]);
  });

  test.each(types)('%s: hears nothing of a video that is private, and sees an unlisted one only by its id', (type) => {
    const topicsWhile = (visibility: string): readonly string[] =>
      topicsOf(
        feed,
        recorded(type, {
          ...everything,
          visibility,
          before: visibility,
          wasPublic: visibility !== 'private',
          isPublic: visibility !== 'private',
          ...(visibility === 'private' && { isPrivate: true, isReady: false, access: 'private' }),
        }),
      );
    expect(topicsWhile('private').filter((topic) => !topic.startsWith('me:'))).toEqual([]);
    expect(topicsWhile('unlisted')).not.toContain('feed');
  });

  test('learns that a video enters or leaves the feed, and no more', () => {
    const changed = (visibility: string, before: string, isReady = true) => {
      const event = recorded('VideoVisibilityChanged', { ...everything, visibility, before, isReady });
      return { topics: topicsOf(feed, event), seen: viewOf(feed, event, userId).data };
    };
    const all = ['feed', `video:${videoId}`, owner];
    expect(changed('public', 'private')).toEqual({ topics: all, seen: { videoId, isPublic: true } });
    for (const now of ['private', 'unlisted'])
      expect(changed(now, 'public')).toEqual({ topics: all, seen: { videoId, isPublic: false } });
    expect(changed('private', 'unlisted').topics).toEqual([`video:${videoId}`, owner]);
    expect(changed('public', 'private', false).topics).toEqual([owner]);
  });

  test('gets no events of accounts, sessions and unfinished uploads', () => {
    const ofUsers = types.filter((type) => !/^Video/.test(type));
    expect(ofUsers).toEqual(expect.arrayContaining(['NameChanged', 'PasswordChanged', 'SessionRevoked']));
    for (const type of ofUsers) expect([type, topicsOf(feed, recorded(type))]).toEqual([type, [`me:${userId}`]]);
    expect(types).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(UserRegistered|Registration|UploadBegun)/)]),
    );
  });
});
