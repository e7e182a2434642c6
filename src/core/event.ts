/** What has happened: a name in the past tense and the facts of that moment. `data` can be written as JSON. */
export interface DomainEvent<Type extends string = string, Data extends object = object> {
  readonly type: Type;
  readonly data: Data;
}

export interface EventMetadata {
  /** The same value in all events that one request caused, in all processes. */
  readonly correlationId: string;
  /** The id of the event that caused this one; absent when a request did. */
  readonly causationId?: string;
  /** Who gave the command: a user id, or the name of a process manager. */
  readonly actor?: string;
  /** W3C Trace Context of the span that appended the event. */
  readonly traceparent?: string;
  /** The version of the event type in which `data` was written. Upcasting starts from it. */
  readonly schemaVersion: number;
}

/** An event that is not in a store yet. Its id makes appending it twice harmless. */
export interface NewEvent<E extends DomainEvent = DomainEvent> {
  /** UUID, unique over the whole log. */
  readonly id: string;
  readonly type: E['type'];
  readonly data: E['data'];
  readonly metadata: EventMetadata;
}

/** An event as the store holds it. */
export type RecordedEvent<E extends DomainEvent = DomainEvent> = E & {
  readonly id: string;
  readonly metadata: EventMetadata;
  /** `category-id`. The category has no hyphen: EventStoreDB splits the name at the first one. */
  readonly stream: string;
  /** Number in its stream, from 0, without gaps. */
  readonly revision: number;
  /** Position in the whole log. It rises from event to event and may skip numbers. */
  readonly position: bigint;
  /** When the store recorded the event. The time that counts for the domain is in `data.at`. */
  readonly time: Date;
  /** `eventHash`, in reads that ask for it (`hashes`). Absent when the event was recorded before there were hashes. */
  readonly hash?: string;
};
