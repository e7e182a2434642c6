/** What a slice of the domain says has happened: a past-tense name and the facts of that moment, JSON-safe. */
export interface DomainEvent<Type extends string = string, Data extends object = object> {
  readonly type: Type;
  readonly data: Data;
}

export interface EventMetadata {
  /** One value for everything that one request caused, across processes. */
  readonly correlationId: string;
  /** The id of the event that led to this one; absent when a request did. */
  readonly causationId?: string;
  /** Who asked: a user id, or the name of a process manager. */
  readonly actor?: string;
  /** W3C Trace Context of the span that appended the event. */
  readonly traceparent?: string;
  /** The version of the event type's data, as it was written. Upcasting starts from it. */
  readonly schemaVersion: number;
}

/** An event that is not yet in a store. Its id is what makes appending it twice harmless. */
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
  /** `category-id`; the category has no hyphen (EventStoreDB splits at the first one). */
  readonly stream: string;
  /** Place in its stream, from 0, without gaps. */
  readonly revision: number;
  /** Place in the whole log; rises from event to event, may skip numbers. */
  readonly position: bigint;
  /** When the store recorded it. What the domain means by "when" is in `data.at`. */
  readonly time: Date;
};
