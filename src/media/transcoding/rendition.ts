import { factsOf } from '../inspecting/factsOf.ts';
import { uploadLimits } from '../limits.ts';
import type { ProbedStream } from '../inspecting/probe.ts';

/** Pixels of a rendition, the file that is played: at most 1080 on the short side and 4K on the long one. */
const SHORT_SIDE = 1080;
const LONG_SIDE = 3840;
const FRAME_RATE = 60;
/** The share of packets that may fail to decode. A few wrong bits are acceptable; with more, the file is damaged. */
const MOST_ERRORS = 0.02;
/** Pixels of a thumbnail. */
const PICTURE_WIDTH = 640;

/** How an upload becomes what is played. */
export interface RenditionPlan {
  readonly videoStream: number;
  /** Undefined when the upload has no sound. The rendition then has none either. */
  readonly audioStream: number | undefined;
  /** Pixels, even (yuv420p halves them). */
  readonly width: number;
  readonly height: number;
  /** Set when the upload has more frames a second than a rendition keeps. */
  readonly frameRate: number | undefined;
  /** Pixels of the largest frame that is decoded. The headers do not tell: a stream may begin small and grow in the middle. */
  readonly maxPixels: number;
  /** How many packets may fail to decode, by the index of their stream. */
  readonly mostErrors: ReadonlyMap<number, number>;
  /** Seconds of the upload's picture. */
  readonly duration: number;
}

export function planRendition(video: ProbedStream, audio: ProbedStream | undefined): RenditionPlan {
  const { width, height, duration } = factsOf(video);
  const scale = Math.min(1, SHORT_SIDE / Math.min(width, height), LONG_SIDE / Math.max(width, height));
  return {
    videoStream: video.index,
    audioStream: audio?.index,
    width: even(width * scale),
    height: even(height * scale),
    // The rate of a clip with few frames is not reliable.
    frameRate: video.packets > FRAME_RATE / 2 && video.packets / duration > FRAME_RATE * 1.02 ? FRAME_RATE : undefined,
    maxPixels: largestFrame(video),
    mostErrors: new Map(
      [video, ...(audio === undefined ? [] : [audio])].map(({ index, decoded }) => [
        index,
        Math.floor(decoded * MOST_ERRORS),
      ]),
    ),
    duration,
  };
}

/** The size of the thumbnail in pixels: that of the rendition, at most 640 wide. */
export function pictureSize({ width, height }: Pick<RenditionPlan, 'width' | 'height'>): {
  width: number;
  height: number;
} {
  if (width <= PICTURE_WIDTH) return { width, height };
  return { width: PICTURE_WIDTH, height: Math.max(2, 2 * Math.round((height * PICTURE_WIDTH) / width / 2)) };
}

/** The share of the work budget that each frame may take. Decoders count whole blocks of up to 64 pixels, so the announced size always fits. */
function largestFrame({ width, height, decoded }: ProbedStream): number {
  const whole = (pixels: number): number => Math.ceil(pixels / 64) * 64;
  const { maxPixels, maxWork } = uploadLimits;
  return Math.min(maxPixels, Math.max(whole(width) * whole(height), Math.floor(maxWork / Math.max(1, decoded))));
}

/** Rounds down, so that nothing is scaled up. The small addition makes up for rounding errors of the division. */
function even(pixels: number): number {
  return Math.max(2, Math.floor((pixels + 1e-6) / 2) * 2);
}
