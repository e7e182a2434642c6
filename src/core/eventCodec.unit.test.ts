import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { fc } from '../../tests/support/property.ts';
import type { NewEvent, RecordedEvent } from './event.ts';
import { createEventCodec, UndecodableEvent } from './eventCodec.ts';
import { FORGOTTEN, type EventTypeDefinitions } from './eventTypes.ts';
import { UserForgotten, type UserKeys } from './userKeys.ts';

/** Keys in memory. */
function someKeys(): UserKeys & { forget(userId: string): void } {
  const keys = new Map<string, Buffer | undefined>();
  const forOpening = (userIds: readonly string[]) =>
    Promise.resolve(new Map(userIds.map((userId) => [userId, keys.get(userId)])));
  return {
    forOpening,
    forSealing: async (userIds) => {
      for (const userId of userIds) if (!keys.has(userId)) keys.set(userId, randomBytes(32));
      if (userIds.some((userId) => keys.get(userId) === undefined)) throw new UserForgotten();
      return (await forOpening(userIds)) as Map<string, Buffer>;
    },
    forget: (userId) => void keys.set(userId, undefined),
  };
}

const types: EventTypeDefinitions = {
  Counted: { version: 1 },
  Moved: {
    version: 3,
    upcasts: {
      1: ({ km, ...data }) => ({ ...data, metres: (km as number) * 1_000 }),
      2: (data) => ({ ...data, by: 'foot' }),
    },
  },
  Joined: {
    version: 2,
    personal: { subject: 'userId', fields: ['firstName', 'lastName'] },
    upcasts: {
      1: ({ name, ...data }) => {
        const [firstName, lastName = ''] = (name as string).split(' ');
        return { ...data, firstName, lastName };
      },
    },
  },
};
/** The event types before names were split. */
const earlier: EventTypeDefinitions = { Joined: { version: 1, personal: { subject: 'userId', fields: ['name'] } } };

function someEvent(type: string, data: object, schemaVersion = 0): NewEvent {
  return { id: randomUUID(), type, data, metadata: { correlationId: 'c', schemaVersion } };
}

function recorded(event: NewEvent): RecordedEvent {
  return { ...event, stream: 's-1', revision: 0, position: 1n, time: new Date(0) };
}

describe('the codec', () => {
  test('gives back any personal data as it was', async () => {
    const codec = createEventCodec({ types, keys: someKeys() });
    const text = fc.string({ unit: 'grapheme', maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(fc.uuid(), text, text, async (userId, firstName, lastName) => {
        const event = someEvent('Joined', { userId, firstName, lastName, at: 'then' });
        const [encoded] = await codec.encode([event]);
        const [decoded] = await codec.decode([recorded(encoded!)]);
        expect(decoded!.data).toEqual(event.data);
        expect(Object.keys(encoded!.data).toSorted()).toEqual(['at', 'personal', 'userId']);
      }),
      { numRuns: 100 },
    );
  });

  test('sets the version of the type, and leaves other data as it is', async () => {
    const codec = createEventCodec({ types, keys: someKeys() });
    const event = someEvent('Moved', { metres: 5, by: 'bus', personal: 'v1.not.sealed' });
    const [encoded] = await codec.encode([event]);
    expect(encoded).toEqual({ ...event, metadata: { correlationId: 'c', schemaVersion: 3 } });
    expect((await codec.decode([recorded(encoded!)]))[0]!.data).toEqual(event.data);
  });

  test('gives another ciphertext each time', async () => {
    const codec = createEventCodec({ types, keys: someKeys() });
    const event = someEvent('Joined', { userId: 'u', firstName: 'Zoë', lastName: '' });
    expect((await codec.encode([event]))[0]!.data).not.toEqual((await codec.encode([event]))[0]!.data);
  });

  test('upcasts old versions step by step, and keeps the order', async () => {
    const codec = createEventCodec({ types, keys: someKeys() });
    const decoded = await codec.decode([
      recorded(someEvent('Moved', { km: 2 }, 1)),
      recorded(someEvent('Counted', { n: 1 }, 1)),
      recorded(someEvent('Moved', { metres: 7 }, 2)),
      recorded(someEvent('Moved', { metres: 8, by: 'bus' }, 3)),
    ]);
    expect(decoded.map(({ data }) => data)).toEqual([
      { metres: 2_000, by: 'foot' },
      { n: 1 },
      { metres: 7, by: 'foot' },
      { metres: 8, by: 'bus' },
    ]);
    expect(decoded.map(({ metadata }) => metadata.schemaVersion)).toEqual([3, 1, 3, 3]);
  });

  test('upcasts data that was sealed in an older version, even if its user is forgotten', async () => {
    const keys = someKeys();
    const [old] = await createEventCodec({ types: earlier, keys }).encode([
      someEvent('Joined', { userId: 'u', name: 'Ada Lovelace' }),
    ]);
    const codec = createEventCodec({ types, keys });
    expect((await codec.decode([recorded(old!)]))[0]!.data).toEqual({
      userId: 'u',
      firstName: 'Ada',
      lastName: 'Lovelace',
    });
    keys.forget('u');
    expect((await codec.decode([recorded(old!)]))[0]!.data).toEqual({
      userId: 'u',
      firstName: FORGOTTEN,
      lastName: FORGOTTEN,
    });
  });

  test('seals no data of a user who is forgotten', async () => {
    const keys = someKeys();
    keys.forget('u');
    const codec = createEventCodec({ types, keys });
    await expect(codec.encode([someEvent('Joined', { userId: 'u', firstName: 'a', lastName: 'b' })])).rejects.toThrow(
      UserForgotten,
    );
  });
});

describe('the codec refuses, with the id of the event,', () => {
  const codec = createEventCodec({ types, keys: someKeys() });

  test.each([
    ['a type that it does not know', someEvent('Unheard', {}, 1), /Unheard/],
    ['a type named like a property of every object', someEvent('constructor', {}, 1), /constructor/],
    ['a version newer than it knows', someEvent('Moved', {}, 4), /Moved of version 4.*up to 3/],
    ['a version without an upcast', someEvent('Moved', {}, 0), /no upcast from 0/],
    ['personal data without a user', someEvent('Joined', { personal: 'v1.name.AAAA' }, 2), /userId/],
    ['personal data that is malformed', someEvent('Joined', { userId: 'u', personal: 'v1.!' }, 2), /malformed/],
  ])('%s', async (_, event, message) => {
    const decoding = codec.decode([recorded(event)]);
    await expect(decoding).rejects.toThrow(UndecodableEvent);
    await expect(decoding).rejects.toThrow(message);
    await expect(decoding).rejects.toThrow(event.id);
  });

  test('to write a type that it does not know', async () => {
    await expect(codec.encode([someEvent('Unheard', {})])).rejects.toThrow(UndecodableEvent);
  });

  test.each<[string, (event: RecordedEvent) => RecordedEvent]>([
    ['another event', (event) => ({ ...event, id: randomUUID() })],
    ['another user', (event) => ({ ...event, data: { ...event.data, userId: 'other' } })],
    [
      'other field names',
      (event) => ({ ...event, data: { ...event.data, personal: personal(event).replace('firstName', 'lastName') } }),
    ],
    [
      'a changed text',
      (event) => ({ ...event, data: { ...event.data, personal: personal(event).slice(0, -4) + 'AAAA' } }),
    ],
  ])('personal data that was moved to %s', async (_, change) => {
    const [mine] = await codec.encode([
      someEvent('Joined', { userId: 'u', firstName: 'a', lastName: 'b' }),
      someEvent('Joined', { userId: 'other', firstName: 'a' }),
    ]);
    const decoding = codec.decode([change(recorded(mine!))]);
    await expect(decoding).rejects.toThrow(UndecodableEvent);
    await expect(decoding).rejects.toThrow(/does not open/);
  });
});

function personal(event: RecordedEvent): string {
  return (event.data as { personal: string }).personal;
}
