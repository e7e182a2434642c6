import { expect, test } from '@jest/globals';
import { fc } from '../../tests/support/property.ts';
import type { RecordedEvent } from './event.ts';
import { contentHash, contentOf, eventHash } from './eventHash.ts';

const event: RecordedEvent = {
  id: '0198c0de-0000-7000-8000-000000000001',
  type: 'VideoLiked',
  stream: 'like-v_u',
  revision: 1,
  position: 9n,
  time: new Date('2026-01-02T03:04:05.678Z'),
  data: { videoId: 'v', text: 'ünïcode\n' },
  metadata: { correlationId: 'c', schemaVersion: 1 },
};
const previous = 'ab'.repeat(32);
const hashOf = (each: RecordedEvent, before: string | undefined = previous): string =>
  eventHash(before, contentOf(each), each.time);

test('the hash of an event never changes: logs hold it', () => {
  // Calculated by another program, in Python.
  expect(hashOf(event)).toBe('09b7f7db329640b836879c4f0c3307ba307079ac290ef949b4588899d910f927');
});

test.each([
  ['stream', { ...event, stream: 'like-v_w' }],
  ['id', { ...event, id: '0198c0de-0000-7000-8000-000000000002' }],
  ['type', { ...event, type: 'VideoUnliked' }],
  ['time', { ...event, time: new Date(event.time.getTime() + 1) }],
  ['data', { ...event, data: { ...event.data, videoId: 'w' } }],
  ['metadata', { ...event, metadata: { ...event.metadata, actor: 'a' } }],
])('another %s gives another hash', (_, changed) => {
  expect(hashOf(changed)).not.toBe(hashOf(event));
});

test('another event before it gives another hash, and so does none', () => {
  const content = contentOf(event);
  const hashes = [previous, 'cd'.repeat(32), undefined].map((each) => eventHash(each, content, event.time));
  expect(new Set([...hashes, eventHash(previous, content, undefined)]).size).toBe(4);
});

test('the position is not part of it, so that a copy of the log keeps its hashes', () => {
  expect(hashOf({ ...event, position: 10n })).toBe(hashOf(event));
});

test('JSON that was written, stored and read has the same hash, whatever it holds', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (data) => {
      const [written, metadata] = [JSON.stringify(data), JSON.stringify(event.metadata)];
      const read = { ...event, data: JSON.parse(written) as object };
      expect(contentOf(read)).toEqual(contentHash({ ...event, data: written, metadata }));
    }),
  );
});
