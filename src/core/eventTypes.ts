/** Brings data written under an older version of an event type up by one version. */
export type Upcast = (data: Record<string, unknown>) => Record<string, unknown>;

/**
 * How one event type lies in the log. `version` is what is written today; `upcasts[n]` turns version n into n + 1.
 * `personal` names the fields of `data` that are encrypted under the key of the user whom `subject` names.
 */
export interface EventTypeDefinition {
  readonly version: number;
  readonly upcasts?: Readonly<Record<number, Upcast>>;
  readonly personal?: { readonly subject: string; readonly fields: readonly string[] };
}

export type EventTypeDefinitions = Readonly<Record<string, EventTypeDefinition>>;

/** What a personal field reads as once its user has been forgotten. */
export const FORGOTTEN = 'forgotten';
