import type { MediaFacts } from '../../features/videos/events.ts';
import { uploadLimits } from '../receiving/limits.ts';
import type { ProbedStream } from '../inspecting/probe.ts';

/** What is played: at most 1080 on the short side, at most 4K on the long one. */
const SHORT_SIDE = 1080;
const LONG_SIDE = 3840;
const FRAME_RATE = 60;

/** How an upload becomes what is played. */
export interface RenditionPlan {
  readonly videoStream: number;
  /** Undefined: no sound, and none is made up. */
  readonly audioStream: number | undefined;
  /** Pixels, even (yuv420p halves them). */
  readonly width: number;
  readonly height: number;
  /** Set when the upload has more frames a second than are worth their bytes. */
  readonly frameRate: number | undefined;
  /** Pixels of the largest frame that is decoded: a stream may begin small, as its headers say, and grow in the middle. */
  readonly maxPixels: number;
  /** Seconds of the upload's picture. */
  readonly duration: number;
}

/** Pixels as a viewer sees them: pixels made square, rotation applied; and the picture's seconds. */
export function factsOf(video: ProbedStream): MediaFacts {
  const wide = Math.max(1, Math.round(video.width * video.pixelShape));
  const turned = Math.round(video.rotation / 90) % 2 !== 0;
  const [width, height] = turned ? [video.height, wide] : [wide, video.height];
  return { duration: Math.round((video.end - video.start) * 1000) / 1000, width, height };
}

export function planRendition(video: ProbedStream, audio: ProbedStream | undefined): RenditionPlan {
  const { width, height, duration } = factsOf(video);
  const scale = Math.min(1, SHORT_SIDE / Math.min(width, height), LONG_SIDE / Math.max(width, height));
  return {
    videoStream: video.index,
    audioStream: audio?.index,
    width: even(width * scale),
    height: even(height * scale),
    // A clip of few frames says little about its rate.
    frameRate: video.packets > FRAME_RATE / 2 && video.packets / duration > FRAME_RATE * 1.02 ? FRAME_RATE : undefined,
    maxPixels: largestFrame(video),
    duration,
  };
}

/** What is left of the budget for each frame. Decoders count whole blocks of up to 64 pixels, so the frame as it is always fits. */
function largestFrame({ width, height, decoded }: ProbedStream): number {
  const whole = (pixels: number): number => Math.ceil(pixels / 64) * 64;
  const { maxPixels, maxWork } = uploadLimits;
  return Math.min(maxPixels, Math.max(whole(width) * whole(height), Math.floor(maxWork / Math.max(1, decoded))));
}

/** Rounded down, so that nothing is ever scaled up; a hair is added for what division lost. */
function even(pixels: number): number {
  return Math.max(2, Math.floor((pixels + 1e-6) / 2) * 2);
}
