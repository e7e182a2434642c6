/** What an upload may be. The first two numbers are the seed system's; the others bound what one upload can cost us. */
export const uploadLimits = {
  /** Bytes: 50 MB, counted as MiB. */
  maxBytes: 50 * 1024 * 1024,
  /** Seconds of picture. */
  maxSeconds: 60,
  /** What "60 s" may come to in practice: a 29.97 fps clip cut at 60 s ends at 60.03 s, with its last frame. */
  secondsTolerance: 0.05,
  /** Sound may outlast the picture: codecs pad it to whole frames, up to a quarter of a second at 8 kHz. */
  maxSecondsOfFile: 60.5,
  /** Bytes of the text field `data`: a title, a description, and room for escapes. */
  maxDataBytes: 64 * 1024,
  minSide: 16,
  /** 8K, either way up. */
  maxSide: 7680,
  maxPixels: 7680 * 4320,
  /** Long side over short side. Nothing honest comes near it, and scaled down a longer strip has no height left. */
  maxAspect: 30,
  /** Slow motion of phones. Renditions are capped lower. */
  maxFrameRate: 240,
  /**
   * Pixels of all frames together, shown or not: about what a transcode costs. A minute of DCI 4K (4096 × 2160) at 60 frames a
   * second is the most that phones record within the limits above. It takes some 70 s of CPU time as H.264 and 100 s as HEVC
   * (FFmpeg from npm, measured over 20 s in 2026), which is a minute at most on two cores; a minute of 8K would take four times that.
   */
  maxWork: 4096 * 2160 * 60 * 60.1,
  /** Tracks of every kind. Cameras write up to seven (picture, sound, time code, position, motion), editors a sound track a microphone. */
  maxStreams: 16,
  /** A decoder for 8K takes 80 MB or more, and FFmpeg opens one for each. Cameras with two lenses write two pictures, chapters are one. */
  maxVideoStreams: 4,
} as const;

export type UploadLimits = { readonly [K in keyof typeof uploadLimits]: number };

/** What comes out of a transcode has kept to the limits above, but for sides that were rounded to even numbers. */
export const renditionLimits: UploadLimits = { ...uploadLimits, minSide: 2, maxAspect: Infinity };
