/** What a video file shows. Events store these facts: only add fields, and make them optional. */
export interface MediaFacts {
  /** Seconds of picture. */
  readonly duration: number;
  /** Pixels as shown, with the rotation applied. */
  readonly width: number;
  readonly height: number;
}
