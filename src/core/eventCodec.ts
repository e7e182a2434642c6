import type { NewEvent, RecordedEvent } from './event.ts';
import { FORGOTTEN, type EventTypeDefinition, type EventTypeDefinitions } from './eventTypes.ts';
import { seal, unseal } from './sealing.ts';
import type { UserKeys } from './userKeys.ts';

type Data = Record<string, unknown>;

/**
 * Between events as the domain knows them and events as they lie in the log. In the log, personal fields are one sealed
 * string, `data.personal`, and `metadata.schemaVersion` says how the data is to be understood.
 */
export interface EventCodec {
  /** @throws UserForgotten when it would write personal data of a user who has been forgotten. */
  encode(events: readonly NewEvent[]): Promise<NewEvent[]>;
  /** In the same order, as the newest version of each type. Personal fields of forgotten users read `FORGOTTEN`. @throws UndecodableEvent */
  decode(events: readonly RecordedEvent[]): Promise<RecordedEvent[]>;
}

/** An event that this version of the program does not know how to read. */
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
        let data = subject === undefined ? (event.data as Data) : opened(event, subject, key);
        data = upcast(event, data, definition);
        // An upcast may have made a personal field out of what is forgotten.
        if (subject !== undefined && key === undefined) data = { ...data, ...forgotten(definition.personal!.fields) };
        return { ...event, data, metadata: { ...event.metadata, schemaVersion: definition.version } };
      });
    },
  };
}

function definitionOf(types: EventTypeDefinitions, event: NewEvent | RecordedEvent): EventTypeDefinition {
  if (!Object.hasOwn(types, event.type)) {
    throw new UndecodableEvent(`event ${event.id} is of the type ${event.type}, which this version does not know`);
  }
  return types[event.type]!;
}

/** Whose personal data the event holds; undefined when its type holds none. */
function subjectOf({ personal }: EventTypeDefinition, event: NewEvent | RecordedEvent): string | undefined {
  if (personal === undefined) return undefined;
  const subject = (event.data as Data)[personal.subject];
  if (typeof subject !== 'string') {
    throw new UndecodableEvent(`event ${event.id} (${event.type}) does not name its user in ${personal.subject}`);
  }
  return subject;
}

function upcast(event: RecordedEvent, data: Data, { version, upcasts }: EventTypeDefinition): Data {
  const { schemaVersion } = event.metadata;
  if (schemaVersion > version) {
    const known = `this program knows up to ${version}: it is too old for this log`;
    throw new UndecodableEvent(`event ${event.id} is a ${event.type} of version ${schemaVersion}, and ${known}`);
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
 * A sealed string is `v1.<fields>.<box>`: the names of the fields in the box, joined by +, so that they can be said to be
 * forgotten without opening it, also when a later version names other ones; and the box in base64url. The box is tied to
 * its event and its user: moved to another, it does not open.
 */
const SEALED = /^v1\.([\w+]*)\.([\w-]+)$/;

function isSealed(event: RecordedEvent): boolean {
  const { personal } = event.data as Data;
  return typeof personal === 'string' && personal.startsWith('v1.');
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
