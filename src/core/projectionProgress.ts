/** A projection has taken in more of the log. */
export interface ProjectionCommit {
  readonly projection: string;
  /** Everything up to and including it is in the rows. */
  readonly position: bigint;
}

/**
 * How far the projections are, whichever process runs them. What `waitFor` and `commits` say is never ahead of what
 * a query on the read models would see.
 */
export interface ProjectionProgress {
  /** As last heard of, without asking the database. */
  position(projection: string): bigint;
  /** The same of each of its partitions: `position` is the least of them. Empty while nothing has been heard of it. */
  positions(projection: string): readonly bigint[];
  /**
   * Answers true as soon as the projection has passed `position`, false after `timeoutMs`. When `stream` is given,
   * passing means only: the event of that stream at that position is in, which can be sooner.
   */
  waitFor(
    projection: string,
    position: bigint,
    options: { timeoutMs: number; stream?: string; signal?: AbortSignal },
  ): Promise<boolean>;
  /** Called after each commit that changed rows, in this process or (within a second) in another. Returns how to stop. */
  onCommit(listener: (commit: ProjectionCommit) => void): () => void;
}
