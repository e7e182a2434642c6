/** What a command left in its stream: says which read models show the command, and from which position on. */
export interface Appended {
  readonly stream: string;
  /**
   * Of the last event of the stream. A read model that has passed it shows the command, also one that changed nothing.
   */
  readonly position: bigint;
  /** The types of the events in the stream. Projections that handle none of them never show the command. */
  readonly types: readonly string[];
}
