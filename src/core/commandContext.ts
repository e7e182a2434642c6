/** What surrounds a command and is not part of it. Becomes the metadata of the events it leads to. */
export interface CommandContext {
  readonly correlationId: string;
  readonly causationId?: string;
  /** Who asks: a user id, or the name of a process manager. */
  readonly actor?: string;
  readonly traceparent?: string;
  /** From the `Idempotency-Key` header, or whatever names a retry (a job id). Event ids are derived from it. */
  readonly idempotencyKey?: string;
  /** The moment the command came in. The only clock that a decider sees. */
  readonly now: Date;
}
