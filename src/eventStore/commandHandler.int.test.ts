import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../tests/support/database.ts';
import { RevisionConflict, type EventStore } from '../core/eventStore.ts';
import { all } from './contract/eventStoreContract.ts';
import { createPostgresEventStore } from './postgres/postgresEventStore.ts';
import type { CommandContext } from '../core/commandContext.ts';
import { handleCommand } from '../core/commandHandler.ts';
import type { Decider } from '../core/decider.ts';
import { DomainError } from '../core/errors.ts';
import type { DomainEvent } from '../core/event.ts';

type LampEvent = DomainEvent<'SwitchedOn', { n: number }> | DomainEvent<'SwitchedOff', { n: number }>;
type Command = 'toggle' | 'switchOn' | 'blink' | 'flash' | 'break';

/** The events of a command depend on the state. Blinking gives two events, flashing two or one. */
const lamp: Decider<Command, LampEvent, { on: boolean; changes: number }> = {
  initialState: { on: false, changes: 0 },
  decide(command, { on, changes: n }) {
    if (command === 'break') throw new DomainError('conflict', 'unbreakable', 'It does not break.');
    if (command === 'switchOn' && on) return [];
    const next = (wasOn: boolean, n: number): LampEvent => ({
      type: wasOn ? 'SwitchedOff' : 'SwitchedOn',
      data: { n },
    });
    return command === 'blink' || (command === 'flash' && !on) ? [next(on, n), next(!on, n + 1)] : [next(on, n)];
  },
  evolve: ({ changes }, { type }) => ({ on: type === 'SwitchedOn', changes: changes + 1 }),
};

let database: TestDatabase;
let store: EventStore;

beforeAll(async () => {
  database = await createTestDatabase();
  store = createPostgresEventStore({ pool: database.pool });
});

afterAll(async () => {
  await store.close();
  await database[Symbol.asyncDispose]();
});

function context(more: Partial<CommandContext> = {}): CommandContext {
  return { correlationId: 'c', now: new Date(0), ...more };
}

const someLamp = (): string => `lamp-${randomUUID()}`;

describe('a command', () => {
  test('appends the events decided on the folded stream, and answers the new state and its place', async () => {
    const stream = someLamp();
    const first = await handleCommand(store, lamp, stream, 'toggle', context());
    expect(first).toEqual({
      state: { on: true, changes: 1 },
      events: [{ type: 'SwitchedOn', data: { n: 0 } }],
      revision: 0,
      stream,
      position: expect.any(BigInt),
      types: ['SwitchedOn'],
    });
    const second = await handleCommand(
      store,
      lamp,
      stream,
      'blink',
      context({ actor: 'me', causationId: randomUUID(), traceparent: '00' }),
    );
    expect(second).toMatchObject({ state: { on: true, changes: 3 }, revision: 2 });
    const recorded = await all(store.readStream(stream));
    expect(recorded.at(-1)).toMatchObject({
      position: second.position,
      metadata: { correlationId: 'c', actor: 'me', traceparent: '00' },
    });
  });

  test('that changes nothing appends nothing, and answers the place of the stream', async () => {
    const stream = someLamp();
    const { position } = await handleCommand(store, lamp, stream, 'switchOn', context());
    expect(await handleCommand(store, lamp, stream, 'switchOn', context())).toEqual({
      state: { on: true, changes: 1 },
      events: [],
      revision: 0,
      stream,
      position,
      types: ['SwitchedOn'],
    });
  });

  test('that the rules forbid appends nothing', async () => {
    const stream = someLamp();
    await expect(handleCommand(store, lamp, stream, 'break', context())).rejects.toMatchObject({ code: 'unbreakable' });
    expect(await all(store.readStream(stream))).toEqual([]);
  });

  test('is decided again when another one was faster: thirty at once on one stream all succeed', async () => {
    const stream = someLamp();
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, () => handleCommand(store, lamp, stream, 'toggle', context())),
    );
    expect(outcomes.map(({ revision }) => revision!).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 30 }, (_, n) => n),
    );
    const recorded = await all(store.readStream(stream));
    expect(recorded.map(({ data }) => data)).toEqual(recorded.map((_, n) => ({ n })));
    for (const { revision, events } of outcomes) expect(recorded[revision!]).toMatchObject(events[0]!);
  });
});

describe('a command that names a revision', () => {
  test('runs at that revision, and is refused at any other without being decided', async () => {
    const stream = someLamp();
    await handleCommand(store, lamp, stream, 'toggle', context());
    for (const command of ['toggle', 'break'] as const) {
      await expect(handleCommand(store, lamp, stream, command, context(), { expectedRevision: 1 })).rejects.toThrow(
        RevisionConflict,
      );
    }
    expect(await handleCommand(store, lamp, stream, 'toggle', context(), { expectedRevision: 0 })).toMatchObject({
      revision: 1,
    });
  });

  test('succeeds once when it is sent many times at once', async () => {
    const stream = someLamp();
    await handleCommand(store, lamp, stream, 'toggle', context());
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, () =>
        handleCommand(store, lamp, stream, 'toggle', context(), { expectedRevision: 0 }),
      ),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

describe('a command with an idempotency key', () => {
  const once = context({ actor: 'me', idempotencyKey: 'k1' });

  test('runs once, and its repeat answers the same events and the present state', async () => {
    const stream = someLamp();
    const first = await handleCommand(store, lamp, stream, 'blink', once);
    expect(await handleCommand(store, lamp, stream, 'blink', once)).toMatchObject({
      revision: 1,
      position: first.position,
    });
    await handleCommand(store, lamp, stream, 'toggle', context());
    const late = await handleCommand(store, lamp, stream, 'blink', once);
    expect(late).toMatchObject({ state: { on: true, changes: 3 }, revision: 2 });
    expect(late.events).toMatchObject(first.events);
    expect(await all(store.readStream(stream))).toHaveLength(3);
  });

  test('runs once even at a revision that it has itself left behind', async () => {
    const stream = someLamp();
    await handleCommand(store, lamp, stream, 'toggle', context());
    await handleCommand(store, lamp, stream, 'toggle', once, { expectedRevision: 0 });
    expect(await handleCommand(store, lamp, stream, 'toggle', once, { expectedRevision: 0 })).toMatchObject({
      revision: 1,
    });
  });

  test('and another key, or another actor, is another command', async () => {
    const stream = someLamp();
    await handleCommand(store, lamp, stream, 'toggle', once);
    await handleCommand(store, lamp, stream, 'toggle', { ...once, idempotencyKey: 'k2' });
    await handleCommand(store, lamp, stream, 'toggle', { ...once, actor: 'you' });
    expect(await all(store.readStream(stream))).toHaveLength(3);
  });

  test.each(['toggle', 'flash'] as const)(
    'that is sent twice at once (%s) answers the events that are in the log',
    async (command) => {
      const stream = someLamp();
      let others = async (): Promise<void> => {
        others = () => Promise.resolve();
        await handleCommand(store, lamp, stream, 'toggle', context());
        await handleCommand(store, lamp, stream, command, once);
      };
      const overtaken: Pick<EventStore, 'append' | 'readStream'> = {
        readStream: (...args) => store.readStream(...args),
        append: async (...args) => {
          await others();
          return store.append(...args);
        },
      };
      const outcome = await handleCommand(overtaken, lamp, stream, command, once);
      expect(outcome).toMatchObject({
        state: { on: false, changes: 2 },
        events: [{ type: 'SwitchedOff', data: { n: 1 } }],
        revision: 1,
      });
      expect(await all(store.readStream(stream))).toHaveLength(2);
    },
  );
});
