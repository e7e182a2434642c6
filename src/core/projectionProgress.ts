/** A projection has processed more of the log. */
export interface ProjectionCommit {
  readonly projection: string;
  /** The rows include all events up to and including this position. */
  readonly position: bigint;
}

/**
 * How far the projections have got, whichever process runs them. The answers are never ahead of what a query on the
 * read models would see.
 */
export interface ProjectionProgress {
  /** The last known position. Does not query the database. */
  position(projection: string): bigint;
  /** The last known position of each partition; `position` is the lowest of them. Empty while nothing is known. */
  positions(projection: string): readonly bigint[];
  /**
   * Answers true as soon as the projection has passed `position`, and false after `timeoutMs`. With `stream`, it is
   * enough that the projection has processed the event of that stream at that position, which can be sooner.
   */
  waitFor(
    projection: string,
    position: bigint,
    options: { timeoutMs: number; stream?: string; signal?: AbortSignal },
  ): Promise<boolean>;
  /**
   * Calls back after each commit that changed rows, in this process or (within a second) in another. Returns a function
   * that stops it.
   */
  onCommit(listener: (commit: ProjectionCommit) => void): () => void;
}
