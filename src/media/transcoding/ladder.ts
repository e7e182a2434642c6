/** One size of a video in its HLS ladder. */
export interface Rung {
  /** Pixels of the short side. No two rungs of a ladder have the same. */
  readonly name: string;
  /** Pixels, even. */
  readonly width: number;
  readonly height: number;
  /** Bits of picture a second, at most. */
  readonly maxRate: number;
}

/** Short sides in pixels, with the bits a second of a picture that moves a lot: about those that Apple and YouTube recommend. */
const LOWER_RUNGS = [
  { side: 240, maxRate: 400_000 },
  { side: 360, maxRate: 800_000 },
  { side: 480, maxRate: 1_400_000 },
  { side: 720, maxRate: 3_000_000 },
] as const;

/** A rung that is hardly smaller than the video itself costs an encode, and saves a viewer next to nothing. */
const LARGEST_SHARE = 0.8;

/** Bits of picture a second in the file that is played, and so in the highest rung. */
export const MOST_RATE = 6_000_000;

/** Seconds between two key frames. All rungs have them at the same times, so that players change rungs there. */
export const SEGMENT_SECONDS = 2;

/** The rungs for a video of this size, lowest first. The last one is the size itself; none is larger. */
export function planLadder({ width, height }: { readonly width: number; readonly height: number }): Rung[] {
  const short = Math.min(width, height);
  const lower = LOWER_RUNGS.filter(({ side }) => side <= short * LARGEST_SHARE).map(({ side, maxRate }) => ({
    name: String(side),
    width: scaled(width, side / short),
    height: scaled(height, side / short),
    maxRate,
  }));
  return [...lower, { name: String(short), width, height, maxRate: MOST_RATE }];
}

/** Options of libx264 that put key frames, and only those, at the same times in every rung. */
export const alignedKeyFrames: readonly string[] = [
  '-force_key_frames',
  `expr:gte(t,n_forced*${SEGMENT_SECONDS})`,
  // No others: not at cuts, and not after any number of frames that a segment may have.
  '-sc_threshold',
  '0',
  '-g',
  '1000',
];

function scaled(pixels: number, scale: number): number {
  return Math.max(2, 2 * Math.round((pixels * scale) / 2));
}
