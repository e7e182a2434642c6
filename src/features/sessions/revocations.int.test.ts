import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { eventually } from '../../../tests/support/eventually.ts';
import { fc } from '../../../tests/support/property.ts';
import type { DomainEvent } from '../../core/event.ts';
import { EventStoreUnavailable, type EventStore } from '../../core/eventStore.ts';
import { createPostgresEventStore } from '../../eventStore/postgres/postgresEventStore.ts';
import { v7 } from 'uuid';
import { createRevocations, followRevocations, type FollowOptions, type Revocations } from './revocations.ts';

const accessSeconds = 900;
const at = '2025-01-01T00:00:00.000Z';
const token = (id: string, session: string, generation = 0) => ({ id, session: { id: session, generation } });
const revoked = (userId: string, sessionId: string): DomainEvent => ({
  type: 'SessionRevoked',
  data: { sessionId, userId, reason: 'logout', at },
});
const othersEnded = (userId: string, generation: number, keptSession: string | null): DomainEvent => ({
  type: 'OtherSessionsRevoked',
  data: { userId, generation, keptSession, at },
});

afterEach(() => {
  jest.restoreAllMocks();
});

describe('what a process knows of ended sessions', () => {
  test('is forgotten when the last access token has expired', () => {
    const clock = jest.spyOn(Date, 'now').mockReturnValue(0);
    const revocations = createRevocations({ accessSeconds });
    revocations.add([revoked('u', 's'), othersEnded('v', 1, null)]);
    const known = (): boolean[] => [
      revocations.isRevoked(token('u', 's')),
      revocations.isRevoked(token('v', 't')),
      revocations.isRevoked({ id: 'v' }),
      revocations.isRevoked({ id: 'u' }),
    ];
    clock.mockReturnValue(accessSeconds * 1_000);
    revocations.add([]);
    expect(known()).toEqual([true, true, true, false]);
    clock.mockReturnValue(2 * accessSeconds * 1_000);
    revocations.add([]);
    expect(known()).toEqual([false, false, false, false]);
  });

  test('tells those who ask, once for each end', () => {
    const revocations = createRevocations({ accessSeconds });
    const heard: string[] = [];
    const stop = revocations.onRevoked((userId) => heard.push(userId));
    revocations.add([revoked('u', 's'), revoked('u', 's'), othersEnded('v', 2, 's'), othersEnded('v', 1, 't')]);
    stop();
    revocations.add([revoked('w', 'x')]);
    expect(heard).toEqual(['u', 'v']);
  });

  test('is the same in whatever order and however often it is heard', () => {
    const user = fc.constantFrom('u', 'v');
    const session = fc.constantFrom('a', 'b', 'c');
    const one = fc.record({ userId: user, sessionId: session });
    const kept = fc.record({ u: fc.array(session, { maxLength: 3 }), v: fc.array(session, { maxLength: 3 }) });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 4 }), kept, fc.infiniteStream(fc.nat()), (ends, all, order) => {
        const events = [
          ...ends.map(({ userId, sessionId }) => revoked(userId, sessionId)),
          ...(['u', 'v'] as const).flatMap((id) => all[id].map((each, n) => othersEnded(id, n + 1, each))),
        ];
        const shuffled = [...events, ...events]
          .map((event) => ({ event, place: order.next().value! }))
          .toSorted((a, b) => a.place - b.place)
          .map(({ event }) => event);
        const revocations = createRevocations({ accessSeconds });
        revocations.add(shuffled);
        for (const id of ['u', 'v'] as const)
          for (const session of ['a', 'b', 'c'])
            for (const generation of [0, 1, 2, 3]) {
              const endedAlone = ends.some(({ sessionId }) => sessionId === session);
              const endedWithOthers = generation < all[id].length && all[id].at(-1) !== session;
              expect(revocations.isRevoked(token(id, session, generation))).toBe(endedAlone || endedWithOthers);
            }
      }),
    );
  });
});

describe('a process', () => {
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

  async function record(stream: string, event: DomainEvent): Promise<void> {
    await store.append(stream, [{ ...event, id: v7(), metadata: { correlationId: 'test', schemaVersion: 0 } }], 'any');
  }

  interface Following extends AsyncDisposable {
    readonly revocations: Revocations;
    readonly caughtUp: Promise<void>;
    readonly failures: readonly unknown[];
  }

  function follow(of: FollowOptions['store'] = store): Following {
    const revocations = createRevocations({ accessSeconds });
    const caughtUp = Promise.withResolvers<void>();
    const failures: unknown[] = [];
    const closing = new AbortController();
    const following = followRevocations({
      store: of,
      revocations,
      accessSeconds,
      failed: (error) => failures.push(error),
      caughtUp: caughtUp.resolve,
      signal: closing.signal,
    });
    return {
      revocations,
      caughtUp: caughtUp.promise,
      failures,
      async [Symbol.asyncDispose]() {
        closing.abort();
        await following;
      },
    };
  }

  test('knows after its start what ended before it, and hears at once what ends later', async () => {
    await record('session-1', revoked('u1', '1'));
    await record('user-u2', othersEnded('u2', 1, '2'));
    await using one = follow();
    await one.caughtUp;
    const { isRevoked } = one.revocations;
    expect([token('u1', '1'), token('u1', '9'), token('u2', '2'), token('u2', '3')].map(isRevoked)).toEqual([
      true,
      false,
      false,
      true,
    ]);
    await record('session-9', revoked('u1', '9'));
    await eventually(() => isRevoked(token('u1', '9')), { what: 'it hears of the end of another session' });
  });

  test('goes on after an outage of the log, at its start and later', async () => {
    let isAway = true;
    const away = (): void => {
      if (isAway) throw new EventStoreUnavailable('away');
    };
    const heard = Promise.withResolvers<void>();
    const flaky: FollowOptions['store'] = {
      positionBefore: (time) =>
        isAway ? Promise.reject(new EventStoreUnavailable('away')) : store.positionBefore(time),
      readAll: (options) => store.readAll(options),
      async *subscribe(options) {
        for await (const batch of store.subscribe(options)) {
          away();
          heard.resolve();
          yield batch;
        }
      },
    };
    await using one = follow(flaky);
    await eventually(() => one.failures.length > 0, { what: 'the first try fails' });
    isAway = false;
    await one.caughtUp;
    await record('session-11', revoked('u3', '11'));
    await heard.promise;
    isAway = true;
    const before = one.failures.length;
    await record('session-12', revoked('u3', '12'));
    await eventually(() => one.failures.length > before, { what: 'the subscription fails' });
    isAway = false;
    await eventually(() => one.revocations.isRevoked(token('u3', '12')), { what: 'it hears of it after the outage' });
  });
});
