/** What an upload may be. `maxBytes` and `maxSeconds` are the original server's; the others bound what one upload costs us. */
export const uploadLimits = {
  /** Bytes: 50 MB, counted as MiB. */
  maxBytes: 50 * 1024 * 1024,
  /** Seconds of picture. */
  maxSeconds: 60,
  /** Seconds that a clip of 60 s may be longer: at 29.97 frames a second its last frame ends at 60.03 s. */
  secondsTolerance: 0.05,
  /** Sound may be longer than the picture: codecs pad it to whole frames, up to a quarter of a second at 8 kHz. */
  maxSecondsOfFile: 60.5,
  /** Bytes of the text field `data`: a title, a description, and room for escapes. */
  maxDataBytes: 64 * 1024,
  minSide: 16,
  /** 8K, landscape or portrait. */
  maxSide: 7680,
  maxPixels: 7680 * 4320,
  /** Long side over short side. Real videos are far below it. A longer strip would have no height left when scaled down. */
  maxAspect: 30,
  /** Slow motion of phones. Renditions have fewer frames a second. */
  maxFrameRate: 240,
  /**
   * Pixels of all frames together, shown or not: roughly what a transcode costs. A minute of DCI 4K (4096 × 2160) at 60 frames
   * a second is the most that phones record within the limits above. It takes some 70 s of CPU time as H.264 and 100 s as HEVC
   * (FFmpeg from npm, measured over 20 s in 2026), so at most a minute on two cores. A minute of 8K would take four times as long.
   */
  maxWork: 4096 * 2160 * 60 * 60.1,
  /**
   * Tracks of every kind. Cameras write up to seven (picture, sound, time code, position, motion). Editors write one sound
   * track for each microphone.
   */
  maxStreams: 16,
  /**
   * FFmpeg opens a decoder for each, which takes 80 MB or more for 8K. Cameras with two lenses write two pictures, and
   * chapters count as one.
   */
  maxVideoStreams: 4,
} as const;

export type UploadLimits = { readonly [K in keyof typeof uploadLimits]: number };

/** The limits for the result of a transcode. Its sides were rounded to even numbers, so small and narrow ones are allowed. */
export const renditionLimits: UploadLimits = { ...uploadLimits, minSide: 2, maxAspect: Infinity };
