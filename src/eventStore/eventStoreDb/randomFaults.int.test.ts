import { describe, expect, test } from '@jest/globals';
import { v7 } from 'uuid';
import {
  startEventStoreDbDouble,
  type EventStoreDbDouble,
} from '../../../tests/support/eventStoreDbDouble/eventStoreDbDouble.ts';
import { fc } from '../../../tests/support/property.ts';
import {
  EventStoreUnavailable,
  RevisionConflict,
  type EventStore,
  type ExpectedRevision,
} from '../../core/eventStore.ts';
import { follow, someEvent, someStream } from '../contract/eventStoreContract.ts';
import { checkLog } from '../integrity/checkLog.ts';
import { createEventStoreDbStore } from './eventStoreDbEventStore.ts';

const faults = ['hang', 'hangAfterwards', 'drop', 'dropAfterwards', 'busy'] as const;
const calls = ['append', 'read', 'subscribe'] as const;
const writers = ['none', 'any', 'revision'] as const;

type Trouble =
  | { kind: 'fault'; call: (typeof calls)[number]; fault: (typeof faults)[number] }
  | { kind: 'end' | 'fail' | 'hang' | 'restart' | 'forget' };

const troubles = fc.oneof(
  fc.record({
    kind: fc.constant('fault' as const),
    call: fc.constantFrom(...calls),
    fault: fc.constantFrom(...faults),
  }),
  fc.record({
    kind: fc.constantFrom('end' as const, 'fail' as const, 'hang' as const, 'restart' as const, 'forget' as const),
  }),
);

async function befall(double: EventStoreDbDouble, trouble: Trouble): Promise<void> {
  switch (trouble.kind) {
    case 'fault':
      return double.faults.plan(trouble.call, trouble.fault);
    case 'restart':
      await double.kill();
      return double.revive();
    case 'forget':
      return double.log.forgetRecentIds();
    case 'end':
    case 'fail':
    case 'hang':
      for (const subscription of double.subscriptions) subscription[trouble.kind]();
  }
}

/** Appends until it succeeds: the port allows repeating the same events whenever the store was unavailable. */
async function insist(store: EventStore, stream: string, ids: string[], expected: ExpectedRevision): Promise<void> {
  const events = ids.map((id) => ({ ...someEvent(), id }));
  for (let tries = 1; ; tries++) {
    try {
      await store.append(stream, events, expected);
      return;
    } catch (error) {
      if (!(error instanceof EventStoreUnavailable) || tries === 20) throw error;
    }
  }
}

describe('a store on EventStoreDB with random faults', () => {
  test('stores each event once, keeps the order and the hashes of each stream, and shows every reader the same log', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(troubles, { minLength: 3, maxLength: 10 }), async (plan) => {
        await using double = await startEventStoreDbDouble();
        const store = createEventStoreDbStore({
          url: double.url,
          appendTimeoutMs: 500,
          readTimeoutMs: 500,
          watchdogMs: 100,
        });
        try {
          await using everything = follow(store, { after: 0n });
          const appended = writers.map(() => [] as string[]);
          const writing = writers.map(async (writer, n) => {
            const stream = someStream(writer);
            for (const trouble of plan) {
              // When a server forgets between two tries of one append with `any`, it may store the append twice. No
              // store can prevent that, so the writer with `any` makes the server forget between its appends.
              if (writer === (trouble.kind === 'forget' ? 'any' : 'none')) await befall(double, trouble);
              const ids = [v7(), v7()];
              const expected = writer === 'any' ? 'any' : appended[n]!.length === 0 ? 'none' : appended[n]!.length - 1;
              await insist(
                store,
                writer === 'none' ? someStream(writer) : stream,
                ids,
                writer === 'none' ? 'none' : expected,
              );
              appended[n]!.push(...ids);
            }
          });
          await Promise.all(writing);
          const log = double.log.events.filter(({ type }) => type === 'Tested').map(({ id }) => id);
          expect(log.toSorted()).toEqual(appended.flat().toSorted());
          for (const ids of appended) expect(log.filter((id) => ids.includes(id))).toEqual(ids);
          await everything.until((events) => events.length >= log.length);
          expect(everything.events.map(({ id }) => id)).toEqual(log);
          const checked = await checkLog({ store, until: await store.head(), gapless: false });
          expect(checked).toMatchObject({ events: log.length, withoutHash: 0, broken: undefined });
        } finally {
          await store.close();
        }
      }),
      { numRuns: 6, endOnFailure: true },
    );
  }, 180_000);
});

test('a writer that expects a revision gets the conflict even when its own append hung before', async () => {
  await using double = await startEventStoreDbDouble();
  const store = createEventStoreDbStore({ url: double.url, appendTimeoutMs: 1_000 });
  try {
    const stream = someStream();
    double.faults.plan('append', 'hang');
    const slow = store.append(stream, [someEvent()], 'none');
    // Another writer is faster than the second try, however slow this process is.
    double.log.append(
      stream,
      [
        {
          id: v7(),
          type: 'Tested',
          contentType: 'application/json',
          data: Buffer.from('{}'),
          metadata: Buffer.from('{}'),
        },
      ],
      'noStream',
    );
    await expect(slow).rejects.toBeInstanceOf(RevisionConflict);
  } finally {
    await store.close();
  }
});
