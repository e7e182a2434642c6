import { moment, type FeatureHistories } from '../../../tests/support/featureHistories.ts';
import { fc } from '../../../tests/support/property.ts';
import type { VideoEvent } from './events.ts';

const facts = { duration: 12.5, width: 640, height: 360 };
const step = fc.constantFrom('processed', 'failed', 'retried', 'changed');

/** Each video is uploaded, goes through a few steps, and may be deleted. */
export const histories: FeatureHistories<VideoEvent> = ({ videos }) =>
  videos.map(({ videoId, ownerId }, n) =>
    fc
      .tuple(moment, fc.array(fc.tuple(step, moment), { maxLength: 4 }), fc.option(moment))
      .map(([uploadedAt, steps, deletedAt]) => {
        const original = { key: `o${n}`, size: 1 };
        const ids = { videoId, ownerId };
        const events: VideoEvent[] = [
          {
            type: 'VideoUploaded',
            data: { ...ids, title: `Title ${n}`, description: '', original, facts, at: uploadedAt },
          },
        ];
        for (const [what, at] of steps) {
          const common = { ...ids, at };
          if (what === 'processed')
            events.push({
              type: 'VideoProcessed',
              data: { ...common, video: { key: 'v', size: 1 }, thumbnail: { key: 't', size: 1 }, facts },
            });
          else if (what === 'failed')
            events.push({ type: 'VideoProcessingFailed', data: { ...common, reason: 'It could not be read.' } });
          else if (what === 'retried') events.push({ type: 'VideoProcessingRetried', data: { ...common, original } });
          else
            events.push({
              type: 'VideoDetailsChanged',
              data: { ...common, title: `Title at ${at}`, description: 'changed' },
            });
        }
        if (deletedAt !== null)
          events.push({
            type: 'VideoDeleted',
            data: { ...ids, wasPublic: steps.some(([what]) => what === 'processed'), at: deletedAt },
          });
        return { stream: `video-${videoId}`, events };
      }),
  );
