import type { DomainEvent } from './event.ts';

/** Turns data of one version of an event type into data of the next version. */
export type Upcast = (data: Record<string, unknown>) => Record<string, unknown>;

/** Whether a field is shown to people who read the log. A function returns what they see instead of the value. */
export type Shown<Value = never> = boolean | ((value: Value) => unknown);

/**
 * How the log stores one event type. New events are written in `version`; `upcasts[n]` turns version n into n + 1.
 * `personal.fields` are the fields of `data` that are encrypted; `personal.subject` is the field with the id of the
 * user whose key encrypts them.
 */
export interface EventTypeDefinition {
  readonly version: number;
  readonly upcasts?: Readonly<Record<number, Upcast>>;
  readonly personal?: { readonly subject: string; readonly fields: readonly string[] };
  /** The fields of `data`. Personal fields and fields that are missing here are never shown, whatever this says. */
  readonly shown?: Readonly<Record<string, Shown>>;
}

export type EventTypeDefinitions = Readonly<Record<string, EventTypeDefinition>>;

/**
 * The definitions of a feature's events. A new event type or a new field does not compile until `shown` says whether
 * people who read the log see it.
 */
export type EventDefinitions<Event extends DomainEvent> = {
  readonly [Type in Event['type']]: EventTypeDefinition & {
    readonly shown: ShownFields<Extract<Event, { type: Type }>['data']>;
  };
};

type ShownFields<Data> = { readonly [Field in keyof Data]-?: Shown<Data[Field]> };

/** The value of a personal field once its user has been forgotten. */
export const FORGOTTEN = 'forgotten';

/** The value of a field that is not shown. */
export const LEFT_OUT = 'left out';
