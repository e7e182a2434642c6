import { moment, type FeatureHistories } from '../../../tests/support/featureHistories.ts';
import { fc } from '../../../tests/support/property.ts';
import { visibilities, type MediaObject, type VideoEvent } from './events.ts';

const object = (key: string): MediaObject => ({ key, size: 1 });
const hls = { master: object('m'), renditions: [{ width: 640, height: 360, bitrate: 900_000 }], files: 4, bytes: 9 };
const facts = { duration: 12.5, width: 640, height: 360 };
const step = fc.constantFrom(
  'processed',
  'failed',
  'retried',
  'changed',
  'seen',
  'moved',
  'extras',
  'hidden',
  'restored',
);
const decided = { by: 'command line', reason: 'Shows a phone number.' };
const visibility = fc.constantFrom(...visibilities);

/** Each video is uploaded, goes through a few steps, and may be deleted or removed. Then its text may be erased. */
export const histories: FeatureHistories<VideoEvent> = ({ videos }) =>
  videos.map(({ videoId, ownerId }, n) =>
    fc
      .tuple(
        moment,
        fc.array(fc.tuple(step, moment, visibility), { maxLength: 5 }),
        fc.option(moment),
        visibility,
        fc.boolean(),
        fc.boolean(),
      )
      .map(([uploadedAt, steps, deletedAt, first, isRemoved, isErased]) => {
        const original = { key: `o${n}`, size: 1 };
        const ids = { videoId, ownerId };
        const events: VideoEvent[] = [
          {
            type: 'VideoUploaded',
            data: { ...ids, title: `Title ${n}`, description: '', original, facts, visibility: first, at: uploadedAt },
          },
        ];
        for (const [n, [what, at, visibility]] of steps.entries()) {
          const hidden =
            steps.slice(0, n).findLast(([what]) => what === 'hidden' || what === 'restored')?.[0] === 'hidden';
          const common = { ...ids, at };
          const seen = visibility === 'public' ? {} : { visibility };
          if (what === 'processed')
            events.push({
              type: 'VideoProcessed',
              data: { ...common, video: { key: 'v', size: 1 }, thumbnail: { key: 't', size: 1 }, facts, ...seen },
            });
          else if (what === 'failed')
            events.push({ type: 'VideoProcessingFailed', data: { ...common, reason: 'It could not be read.' } });
          else if (what === 'seen')
            events.push({
              type: 'VideoVisibilityChanged',
              data: { ...common, visibility, before: 'public', isReady: true, ...(hidden && { isHidden: true }) },
            });
          else if (what === 'moved')
            events.push({
              type: 'VideoFilesMoved',
              data: { ...common, access: visibility === 'private' ? 'private' : 'public' },
            });
          else if (what === 'extras')
            events.push(
              { type: 'VideoLadderMade', data: { ...common, hls } },
              { type: 'VideoStoryboardMade', data: { ...common, storyboard: object('s'), pictures: object('p') } },
              { type: 'VideoPreviewMade', data: { ...common, preview: object('l') } },
            );
          else if (what === 'hidden')
            events.push({ type: 'VideoHidden', data: { ...common, ...decided, wasPublic: true, ...seen } });
          else if (what === 'restored')
            events.push({ type: 'VideoRestored', data: { ...common, ...decided, isPublic: true, ...seen } });
          else if (what === 'retried') events.push({ type: 'VideoProcessingRetried', data: { ...common, original } });
          else
            events.push({
              type: 'VideoDetailsChanged',
              data: { ...common, title: `Title at ${at}`, description: 'changed', ...seen },
            });
        }
        if (deletedAt !== null)
          events.push({
            type: 'VideoDeleted',
            data: {
              ...ids,
              wasPublic: steps.some(([what]) => what === 'processed'),
              ...(first !== 'public' && { visibility: first }),
              at: deletedAt,
            },
          });
        if (deletedAt !== null && isRemoved)
          events.push({ type: 'VideoRemoved', data: { ...ids, ...decided, at: deletedAt } });
        if (deletedAt !== null && isErased)
          events.push({ type: 'VideoTextErased', data: { ...ids, erased: [], at: deletedAt } });
        return { stream: `video-${videoId}`, events };
      }),
  );
