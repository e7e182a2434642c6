import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { fc } from '../../tests/support/property.ts';
import type { NewEvent, RecordedEvent } from './event.ts';
import { createEventCodec } from './eventCodec.ts';
import { LEFT_OUT, type EventTypeDefinitions } from './eventTypes.ts';
import { createShowEvent } from './shownEvent.ts';

const types: EventTypeDefinitions = {
  Joined: {
    version: 2,
    personal: { subject: 'userId', fields: ['firstName', 'lastName'] },
    upcasts: {
      1: ({ name, ...data }) => {
        const [firstName, lastName = ''] = (name as string).split(' ');
        return { ...data, firstName, lastName };
      },
    },
    shown: { userId: true, firstName: true, lastName: false, at: true },
  },
  Watched: {
    version: 2,
    upcasts: { 1: (data) => ({ ...data, seconds: 0 }) },
    shown: { viewer: (viewer: string) => viewer.slice(0, 4), seconds: true, hidden: false },
  },
};
const show = createShowEvent(types);

const metadata = { correlationId: 'c', schemaVersion: 2 };
const recorded = (event: Pick<NewEvent, 'type' | 'data'> & Partial<NewEvent>): RecordedEvent => ({
  id: randomUUID(),
  metadata,
  stream: 's-1',
  revision: 0,
  position: 1n,
  time: new Date(0),
  ...event,
});

/** As the program stored it when its event types were these. */
async function sealed(definitions: EventTypeDefinitions, data: object): Promise<RecordedEvent> {
  const key = randomBytes(32);
  const keys = {
    forSealing: (ids: readonly string[]) => Promise.resolve(new Map(ids.map((id) => [id, key]))),
    forOpening: () => Promise.reject(new Error('nobody opens')),
  };
  const [event] = await createEventCodec({ types: definitions, keys }).encode([
    { id: randomUUID(), type: 'Joined', data, metadata: { ...metadata, schemaVersion: 0 } },
  ]);
  return recorded(event!);
}

describe('an event that is shown', () => {
  test('has its personal fields left out, sealed or not, whatever is in them', async () => {
    const name = fc.string({ unit: 'grapheme', minLength: 9, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(name, name, async (firstName, lastName) => {
        const data = { userId: 'u', firstName, lastName, at: 'now' };
        for (const event of [await sealed(types, data), recorded({ type: 'Joined', data })])
          expect(show(event).data).toEqual({ userId: 'u', firstName: LEFT_OUT, lastName: LEFT_OUT, at: 'now' });
      }),
    );
  });

  test('is of the newest version, also when an upcast works on personal fields', async () => {
    const earlier = { Joined: { version: 1, personal: { subject: 'userId', fields: ['name'] } } };
    const event = await sealed(earlier, { userId: 'u', name: 'Ada Lovelace', at: 'now' });
    expect(show(event)).toMatchObject({
      data: { userId: 'u', firstName: LEFT_OUT, lastName: LEFT_OUT, at: 'now' },
      metadata: { schemaVersion: 1 },
    });
  });

  test('has what its type shows: a field as it is, what a function makes of it, or nothing of it', () => {
    const data = { viewer: 'user:ada', hidden: 'secret', undeclared: 'secret', personal: 'secret' };
    expect(show(recorded({ type: 'Watched', data, metadata: { ...metadata, schemaVersion: 1 } })).data).toEqual({
      viewer: 'user',
      seconds: 0,
      hidden: LEFT_OUT,
      undeclared: LEFT_OUT,
    });
  });

  test('has of its metadata what says why and by whom it was recorded', () => {
    const all = { ...metadata, causationId: 'e', actor: 'u', traceparent: 'secret', more: 'secret' };
    expect(show(recorded({ type: 'Watched', data: {}, metadata: all })).metadata).toEqual({
      correlationId: 'c',
      causationId: 'e',
      actor: 'u',
      schemaVersion: 2,
    });
  });

  test.each<[string, Partial<RecordedEvent>]>([
    ['has a type that the program does not know', { type: 'Secret' }],
    ['has a type with the name of a property of every object', { type: 'constructor' }],
    ['is of a newer version than the program knows', { metadata: { ...metadata, schemaVersion: 3 } }],
    ['is of an older version than the program knows', { metadata: { ...metadata, schemaVersion: 0 } }],
    ['has data of another form', { data: { viewer: 7 } }],
    ['has no data', { data: null as never }],
    ['has no metadata', { metadata: null as never }],
  ])('has no data when it %s', (_, parts) => {
    const event = recorded({ type: 'Watched', data: { viewer: 'secret' }, ...parts });
    expect(show(event)).toMatchObject({ id: event.id, type: event.type, data: null });
  });
});
