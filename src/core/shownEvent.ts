import { erasedFieldsOf } from './erasedFields.ts';
import type { RecordedEvent } from './event.ts';
import { fieldsOfSealed, upcast } from './eventCodec.ts';
import { LEFT_OUT, type EventTypeDefinition, type EventTypeDefinitions } from './eventTypes.ts';

type Data = Readonly<Record<string, unknown>>;

/** An event for people who read the log. It holds no personal data. */
export interface ShownEvent extends Pick<RecordedEvent, 'position' | 'id' | 'stream' | 'revision' | 'type' | 'time'> {
  /**
   * In the newest version of its type; fields that are not shown are `LEFT_OUT`. Null when this version of the program
   * does not know the type, its version or its form.
   */
  readonly data: Data | null;
  /** `schemaVersion` is the version in which the event was recorded. */
  readonly metadata: ShownMetadata;
}

/** Other programs that write to an event store may leave out any of it. */
export interface ShownMetadata {
  readonly correlationId?: string;
  readonly causationId?: string;
  readonly actor?: string;
  readonly schemaVersion?: number;
}

/**
 * Turns an event as the log stores it into one that may be shown. It has no keys, so it cannot open personal data. Of
 * the rest it shows only what `shown` of the event's type names.
 */
export function createShowEvent(types: EventTypeDefinitions): (event: RecordedEvent) => ShownEvent {
  return (event) => {
    const { position, id, stream, revision, type, time } = event;
    return {
      position,
      id,
      stream,
      revision,
      type,
      time,
      data: Object.hasOwn(types, type) ? shownData(event, types[type]!) : null,
      metadata: shownMetadata(event.metadata),
    };
  };
}

function shownData(event: RecordedEvent, definition: EventTypeDefinition): Data | null {
  const { shown = {}, personal } = definition;
  try {
    // Like those of a forgotten user, the sealed fields get a value, so that upcasts find them.
    const { personal: _, ...open } = unmarked(event);
    const data = upcast(event, { ...open, ...leftOut(fieldsOfSealed(event)) }, definition);
    const fields = Object.entries(data).map(([field, value]) => {
      const show = Object.hasOwn(shown, field) && personal?.fields.includes(field) !== true && shown[field]!;
      return [field, typeof show === 'function' ? show(value as never) : show ? value : LEFT_OUT];
    });
    return Object.fromEntries(fields) as Data;
  } catch {
    // An event of a newer program, or one that somebody else wrote.
    return null;
  }
}

/** The data, without the note that fields of it are erased. */
function unmarked(event: RecordedEvent): Data {
  if (erasedFieldsOf(event) === undefined) return event.data as Data;
  const { erased: _, ...left } = event.data as Data;
  return left;
}

function leftOut(fields: readonly string[]): Data {
  return Object.fromEntries(fields.map((field) => [field, LEFT_OUT]));
}

function shownMetadata(metadata: unknown): ShownMetadata {
  const { correlationId, causationId, actor, schemaVersion } = (metadata ?? {}) as Data;
  return {
    ...(typeof correlationId === 'string' && { correlationId }),
    ...(typeof causationId === 'string' && { causationId }),
    ...(typeof actor === 'string' && { actor }),
    ...(typeof schemaVersion === 'number' && { schemaVersion }),
  };
}
