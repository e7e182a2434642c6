import { erasedFieldsOf } from './erasedFields.ts';
import type { NewEvent, RecordedEvent } from './event.ts';
import { FORGOTTEN, type EventTypeDefinition, type EventTypeDefinitions } from './eventTypes.ts';
import { seal, unseal } from './sealing.ts';
import type { UserKeys } from './userKeys.ts';

type Data = Record<string, unknown>;

/**
 * Converts between events as features use them and events as the log stores them. In the log, the personal fields are
 * one sealed string, `data.personal`, and `metadata.schemaVersion` is the version of the data.
 */
export interface EventCodec {
  /** @throws UserForgotten when an event holds personal data of a user who has been forgotten. */
  encode(events: readonly NewEvent[]): Promise<NewEvent[]>;
  /**
   * Keeps the order. Upcasts to the newest version of each type. Personal fields of forgotten users are `FORGOTTEN`.
   * @throws UndecodableEvent
   */
  decode(events: readonly RecordedEvent[]): Promise<RecordedEvent[]>;
}

/** An event that this version of the program cannot read. */
export class UndecodableEvent extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'UndecodableEvent';
  }
}

export function createEventCodec({ types, keys }: { types: EventTypeDefinitions; keys: UserKeys }): EventCodec {
  const noKeys: ReadonlyMap<string, Buffer | undefined> = new Map();

  return {
    async encode(events) {
      const subjects = events.flatMap((event) => subjectOf(definitionOf(types, event), event) ?? []);
      const found = subjects.length > 0 ? await keys.forSealing(subjects) : noKeys;
      return events.map((event) => {
        const definition = definitionOf(types, event);
        const subject = subjectOf(definition, event);
        const data =
          subject === undefined ? event.data : sealed(event, subject, definition.personal!.fields, found.get(subject)!);
        return { ...event, data, metadata: { ...event.metadata, schemaVersion: definition.version } };
      });
    },

    async decode(events) {
      const subjects = new Set(
        events.flatMap((event) => (isSealed(event) ? (subjectOf(definitionOf(types, event), event) ?? []) : [])),
      );
      const found = subjects.size > 0 ? await keys.forOpening([...subjects]) : noKeys;
      return events.map((event) => {
        const definition = definitionOf(types, event);
        const { schemaVersion } = event.metadata;
        if (schemaVersion === definition.version && !isSealed(event)) return event;
        const subject = isSealed(event) ? subjectOf(definition, event) : undefined;
        const key = subject === undefined ? undefined : found.get(subject);
        let data = subject === undefined ? unsealed(event) : opened(event, subject, key);
        data = upcast(event, data, definition);
        // An upcast may have made new personal fields from forgotten ones.
        if (subject !== undefined && key === undefined) data = { ...data, ...forgotten(definition.personal!.fields) };
        return { ...event, data, metadata: { ...event.metadata, schemaVersion: definition.version } };
      });
    },
  };
}

function definitionOf(types: EventTypeDefinitions, event: NewEvent | RecordedEvent): EventTypeDefinition {
  if (!Object.hasOwn(types, event.type)) {
    throw new UndecodableEvent(
      `event ${event.id} has the type ${event.type}, which this version of the program does not know`,
    );
  }
  return types[event.type]!;
}

/** The user whose personal data the event holds; undefined when its type has no personal data. */
function subjectOf({ personal }: EventTypeDefinition, event: NewEvent | RecordedEvent): string | undefined {
  if (personal === undefined) return undefined;
  const subject = (event.data as Data)[personal.subject];
  if (typeof subject !== 'string') {
    throw new UndecodableEvent(`event ${event.id} (${event.type}) does not name its user in ${personal.subject}`);
  }
  return subject;
}

/** Brings data of an earlier version to the newest one. @throws UndecodableEvent */
export function upcast(event: RecordedEvent, data: Data, { version, upcasts }: EventTypeDefinition): Data {
  const { schemaVersion } = event.metadata;
  if (schemaVersion > version) {
    throw new UndecodableEvent(
      `event ${event.id} is a ${event.type} of version ${schemaVersion}, but this program knows versions up to ${version}: it is too old for this log`,
    );
  }
  for (let from = schemaVersion; from < version; from++) {
    const step = upcasts?.[from];
    if (step === undefined) {
      throw new UndecodableEvent(
        `event ${event.id} is a ${event.type} of version ${schemaVersion}, and there is no upcast from ${from}`,
      );
    }
    data = step(data);
  }
  return data;
}

/*
 * A sealed string is `v1.<fields>.<box>`. `<fields>` are the names of the fields in the box, joined by +. So the fields
 * of a forgotten user can be set to FORGOTTEN without opening the box, even when a later version has other fields.
 * `<box>` is in base64url. It opens only for its own event and user.
 */
const SEALED = /^v1\.([\w+]*)\.([\w-]+)$/;

function isSealed(event: RecordedEvent): boolean {
  const { personal } = event.data as Data;
  return typeof personal === 'string' && personal.startsWith('v1.');
}

/** The names of the fields that are sealed in an event, or erased; none when it holds no personal data, or is malformed. */
export function fieldsOfSealed(event: RecordedEvent): readonly string[] {
  const erased = erasedFieldsOf(event);
  if (erased !== undefined) return erased.fields;
  const [, names = ''] = (isSealed(event) && SEALED.exec((event.data as { personal: string }).personal)) || [];
  return names === '' ? [] : names.split('+');
}

/** The personal fields that an event holds in clear, because an older program recorded it. */
export function clearFieldsOf(event: RecordedEvent, types: EventTypeDefinitions): readonly string[] {
  const { personal } = Object.hasOwn(types, event.type) ? types[event.type]! : {};
  return (personal?.fields ?? []).filter((field) => Object.hasOwn(event.data, field));
}

function sealed(event: NewEvent, subject: string, fields: readonly string[], key: Buffer): Data {
  const open: Data = { ...event.data };
  const secret: Data = {};
  for (const field of fields) {
    if (open[field] !== undefined) secret[field] = open[field];
    delete open[field];
  }
  const names = Object.keys(secret).join('+');
  const box = seal(key, Buffer.from(JSON.stringify(secret)), contextOf(event, subject, names));
  return { ...open, personal: `v1.${names}.${box.toString('base64url')}` };
}

function unsealed(event: RecordedEvent): Data {
  const erased = erasedFieldsOf(event);
  if (erased === undefined) return event.data as Data;
  const { erased: _, ...left } = event.data as Data;
  return { ...left, ...forgotten(erased.fields) };
}

function opened(event: RecordedEvent, subject: string, key: Buffer | undefined): Data {
  const { personal, ...open } = event.data as Data & { personal: string };
  const [, names, box] = SEALED.exec(personal) ?? [];
  if (names === undefined || box === undefined)
    throw new UndecodableEvent(`the personal data of event ${event.id} (${event.type}) is malformed`);
  if (key === undefined) return { ...open, ...forgotten(names.split('+')) };
  try {
    const secret = unseal(key, Buffer.from(box, 'base64url'), contextOf(event, subject, names)).toString();
    return { ...open, ...(JSON.parse(secret) as Data) };
  } catch (cause) {
    throw new UndecodableEvent(
      `the personal data of event ${event.id} (${event.type}) does not open with its user's key`,
      { cause },
    );
  }
}

function contextOf({ id, type }: NewEvent | RecordedEvent, subject: string, names: string): string {
  return JSON.stringify([subject, type, id.toLowerCase(), names]);
}

function forgotten(fields: readonly string[]): Data {
  return Object.fromEntries(fields.map((field) => [field, FORGOTTEN]));
}
