import type { MediaFacts } from '../mediaFacts.ts';
import type { ProbedStream } from './probe.ts';

/** Pixels as a viewer sees them: made square, with the rotation applied. */
export function factsOf(video: ProbedStream): MediaFacts {
  const wide = Math.max(1, Math.round(video.width * video.pixelShape));
  const turned = Math.round(video.rotation / 90) % 2 !== 0;
  const [width, height] = turned ? [video.height, wide] : [wide, video.height];
  return { duration: Math.round((video.end - video.start) * 1000) / 1000, width, height };
}
