/** Turns data of one version of an event type into data of the next version. */
export type Upcast = (data: Record<string, unknown>) => Record<string, unknown>;

/**
 * How the log stores one event type. New events are written in `version`; `upcasts[n]` turns version n into n + 1.
 * `personal.fields` are the fields of `data` that are encrypted; `personal.subject` is the field with the id of the
 * user whose key encrypts them.
 */
export interface EventTypeDefinition {
  readonly version: number;
  readonly upcasts?: Readonly<Record<number, Upcast>>;
  readonly personal?: { readonly subject: string; readonly fields: readonly string[] };
}

export type EventTypeDefinitions = Readonly<Record<string, EventTypeDefinition>>;

/** The value of a personal field once its user has been forgotten. */
export const FORGOTTEN = 'forgotten';
