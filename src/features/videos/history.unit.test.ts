import { expect, test } from '@jest/globals';
import type { RecordedEvent } from '../../core/event.ts';
import type { VideoEvent } from './events.ts';
import { historyOf } from './history.ts';

test('history tells what happened, without where objects are stored or who asked', () => {
  const at = '2025-03-01T12:00:00.000Z';
  const ids = { videoId: 'v1', ownerId: 'ann' };
  const facts = { duration: 1, width: 2, height: 3 };
  const events: VideoEvent[] = [
    {
      type: 'VideoUploaded',
      data: {
        ...ids,
        title: 'Cat',
        description: '',
        visibility: 'unlisted',
        original: { key: 'secret/a', size: 9 },
        facts,
        at,
      },
    },
    {
      type: 'VideoProcessed',
      data: { ...ids, video: { key: 'secret/b', size: 8 }, thumbnail: { key: 'secret/c', size: 1 }, facts, at },
    },
    { type: 'VideoProcessingFailed', data: { ...ids, reason: 'It is damaged.', at } },
    { type: 'VideoProcessingRetried', data: { ...ids, original: { key: 'secret/a', size: 9 }, at } },
    { type: 'VideoDetailsChanged', data: { ...ids, title: 'Dog', description: 'x', at } },
    { type: 'VideoVisibilityChanged', data: { ...ids, visibility: 'private', before: 'unlisted', isReady: true, at } },
    { type: 'VideoFilesMoved', data: { ...ids, access: 'private', at } },
    {
      type: 'VideoLadderMade',
      data: {
        ...ids,
        hls: {
          master: { key: 'secret/d', size: 1 },
          renditions: [{ width: 2, height: 3, bitrate: 4 }],
          files: 5,
          bytes: 6,
        },
        at,
      },
    },
    {
      type: 'VideoStoryboardMade',
      data: { ...ids, storyboard: { key: 'secret/e', size: 1 }, pictures: { key: 'secret/f', size: 2 }, at },
    },
    { type: 'VideoPreviewMade', data: { ...ids, preview: { key: 'secret/g', size: 7 }, at } },
    { type: 'VideoDeleted', data: { ...ids, wasPublic: true, at } },
  ];
  const recorded = events.map((event, revision): RecordedEvent<VideoEvent> => ({
    ...event,
    id: `id ${revision}`,
    stream: 'video-v1',
    revision,
    position: BigInt(100 + revision),
    time: new Date(at),
    metadata: { correlationId: 'secret', actor: 'secret', traceparent: 'secret', schemaVersion: 1 },
  }));
  const history = recorded.map(historyOf);
  expect(JSON.stringify(history)).not.toContain('secret');
  expect(history).toEqual([
    {
      type: 'VideoUploaded',
      time: at,
      revision: 0,
      position: '100',
      data: { title: 'Cat', description: '', visibility: 'unlisted', size: 9, ...facts },
    },
    { type: 'VideoProcessed', time: at, revision: 1, position: '101', data: { size: 8, ...facts } },
    { type: 'VideoProcessingFailed', time: at, revision: 2, position: '102', data: { reason: 'It is damaged.' } },
    { type: 'VideoProcessingRetried', time: at, revision: 3, position: '103', data: {} },
    { type: 'VideoDetailsChanged', time: at, revision: 4, position: '104', data: { title: 'Dog', description: 'x' } },
    { type: 'VideoVisibilityChanged', time: at, revision: 5, position: '105', data: { visibility: 'private' } },
    { type: 'VideoFilesMoved', time: at, revision: 6, position: '106', data: { access: 'private' } },
    {
      type: 'VideoLadderMade',
      time: at,
      revision: 7,
      position: '107',
      data: { renditions: [{ width: 2, height: 3, bitrate: 4 }], size: 6 },
    },
    { type: 'VideoStoryboardMade', time: at, revision: 8, position: '108', data: { size: 3 } },
    { type: 'VideoPreviewMade', time: at, revision: 9, position: '109', data: { size: 7 } },
    { type: 'VideoDeleted', time: at, revision: 10, position: '110', data: {} },
  ]);
});
