import { describe, expect, test } from '@jest/globals';
import type { z } from 'zod';
import { topicsOfEvents } from './channelTexts.ts';
import { eventData, pushedEvent, type PushedEventType } from './messages.ts';
import { feedEventTypes, topicsOf, viewFor, type FeedEvent } from './visibleEvents.ts';

const videoId = '01980a3c-5b1e-7c3a-9f52-7d1f0a6b2c11';
const ownerId = '01980a3b-11f0-7d4e-8a4f-3c2b9d6e1a70';
const at = '2026-03-01T12:00:00.000Z';
const everything = {
  videoId,
  ownerId,
  at,
  userId: '01980a3b-22f0-7d4e-8a4f-3c2b9d6e1a71',
  viewerKey: 'secret',
  wasPublic: true,
  title: 'Test card',
  description: 'Four seconds',
  reason: 'Too long.',
  original: { key: 'originals/secret', size: 1 },
  video: { key: 'secret', size: 1 },
  thumbnail: { key: 'secret', size: 1 },
  facts: { duration: 4, width: 640, height: 360 },
};
const recorded = (type: PushedEventType): FeedEvent =>
  ({ position: 7n, type, data: everything }) as unknown as FeedEvent;

describe('what is pushed', () => {
  test('has a schema for each type of event, and nothing else', () => {
    expect(Object.keys(eventData).sort()).toEqual([...feedEventTypes].sort());
  });

  test.each(feedEventTypes)('of %s is what its schema says, to its owner and to strangers', (type) => {
    for (const reader of [ownerId, undefined]) {
      const { data, ...envelope } = viewFor(recorded(type), reader);
      expect(pushedEvent.omit({ data: true }).strict().parse(envelope)).toEqual({ position: '7', type, time: at });
      expect((eventData[type] as z.ZodObject).strict().parse(data)).toEqual(data);
    }
  });

  test.each(feedEventTypes)('of %s is said to go to the topics that it goes to', (type) => {
    const kinds = topicsOf(recorded(type)).map((topic) => topic.replace(/^(me|video):.*/, '$1'));
    const said = topicsOfEvents[type].join(' ');
    for (const kind of ['feed', 'me', 'video'] as const)
      expect([kind, said.includes(kind === 'video' ? '`video:<id>`' : `\`${kind}\``)]).toEqual([
        kind,
        kinds.includes(kind),
      ]);
  });
});
