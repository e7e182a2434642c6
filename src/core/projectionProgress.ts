/** A projection has processed more of the log. */
export interface ProjectionCommit {
  readonly projection: string;
  /** The rows include all events up to and including this position. */
  readonly position: bigint;
}

/**
 * Whether the tables in place are those that this program declares.
 *
 * - `current`: they are.
 * - `rebuilding`: an older version is in place, or rows that were made under other settings, or none yet. The old tables
 *   serve, and stand still until the new ones replace them.
 * - `newer`: a newer program has put its version in place, and keeps it up to date.
 */
export type ProjectionState = 'current' | 'rebuilding' | 'newer';

/**
 * How far the projections have got, whichever process runs them. The answers are never ahead of what a query on the
 * read models would see.
 */
export interface ProjectionProgress {
  /** The last known position. Does not query the database. */
  position(projection: string): bigint;
  /** The last known position of each partition; `position` is the lowest of them. Empty while nothing is known. */
  positions(projection: string): readonly bigint[];
  /** The last known state. Does not query the database. */
  state(projection: string): ProjectionState;
  /**
   * Answers true as soon as the projection has passed `position`, and false after `timeoutMs`. With `stream`, it is
   * enough that the projection has processed the event of that stream at that position, which can be sooner.
   * Answers false at once while the projection is `rebuilding`: its old tables will not get there.
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
