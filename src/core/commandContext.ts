/** Circumstances of a command that are not part of it. They become the metadata of its events. */
export interface CommandContext {
  readonly correlationId: string;
  readonly causationId?: string | undefined;
  /** Who gives the command: a user id, or the name of a process manager. */
  readonly actor?: string | undefined;
  readonly traceparent?: string | undefined;
  /** Identifies retries of the command: the `Idempotency-Key` header, or a job id. Event ids are derived from it. */
  readonly idempotencyKey?: string | undefined;
  /** The time at which the command arrived. Deciders see no other clock. */
  readonly now: Date;
}
