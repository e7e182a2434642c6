import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { countedViews, countingViews, evenly, manyViews } from '../../../tests/support/countingViews.ts';
import { eventually } from '../../../tests/support/eventually.ts';
import { createKafkaTest, describeWithKafka, type KafkaTest } from '../../../tests/support/kafka.ts';
import { createProjectingTest, type ProjectingTest } from '../../../tests/support/projecting.ts';
import { fc } from '../../../tests/support/property.ts';
import { logIdOf, readRecord, type KafkaRecord } from './record.ts';
import { leaseName } from './relayCheckpoint.ts';

// Processes start, leases run out and groups form, again and again.
jest.setTimeout(180_000);

const RELAY = fileURLToPath(new URL('../../../tests/support/relayProcess.ts', import.meta.url));

let t: ProjectingTest;
let k: KafkaTest;
const counting = countingViews();

describeWithKafka('the relay', () => {
  beforeEach(async () => {
    t = await createProjectingTest();
    k = createKafkaTest(t);
  });
  afterEach(async () => {
    await k[Symbol.asyncDispose]();
    await t[Symbol.asyncDispose]();
  });

  test('loses no event and lets none count twice when it is killed at any moment, again and again', async () => {
    await k.relay().then((relay) => relay.stop());
    await k.member([counting]);
    await using topic = await readAlong();
    let position = 0n;
    for (const moment of fc.sample(fc.nat({ max: 100 }), 4)) {
      const relay = startRelayProcess();
      const before = await t.store.head();
      position = await manyViews(t, 500);
      await eventually(() => topic.found.some(({ record }) => record.position > before), {
        what: 'the relay is at work',
        within: 30_000,
        giveUp: () => hasEnded(relay),
      });
      await delay(moment); // The random moment is the point of this test.
      relay.kill('SIGKILL');
      if (!hasEnded(relay)) await once(relay, 'exit');
    }
    const relay = startRelayProcess();
    await k.reached('counting', position);
    relay.kill('SIGKILL');
    expect(await countedViews(t.pool)).toEqual(evenly(400));
    expectFirstOccurrencesInOrder(await topic.upToDate());
  });

  test('is active in one process at a time; another takes over even from a relay that has not noticed that it lost the lease', async () => {
    const [one, other] = [await k.relay(), await k.relay()];
    await k.member([counting]);
    await k.reached('counting', await manyViews(t, 100));
    await eventually(() => [one.state().state, other.state().state].toSorted().join(' and '), {
      what: 'one is active',
      holds: (states) => states === 'active and standby',
    });
    let position = 0n;
    for (let theft = 0; theft < 4; theft++) {
      const epoch = await leaseEpoch();
      const appending = manyViews(t, 1_000);
      // Repeated, since the holder renews the lease.
      const expire = `update reelstream.leases set expires_at = clock_timestamp() - interval '1 s' where name = $1 and epoch = $2`;
      await eventually(async () => (await t.pool.query(expire, [leaseName(k.topic), epoch])).rowCount === 0, {
        what: 'the other one has taken over',
      });
      position = await appending;
    }
    await k.reached('counting', position);
    expect(await countedViews(t.pool)).toEqual(evenly(820));
    await eventually(() => [one, other].filter((relay) => relay.state().state === 'active').length === 1, {
      what: 'one is active again',
    });
    await using topic = await readAlong();
    expectFirstOccurrencesInOrder(await topic.upToDate());
  });

  test('stands by when it is started while another one is active', async () => {
    // Long enough that the first one does not lose its lease, even on a busy machine.
    const relay = () => k.relay({ leaseMs: 15_000 });
    const first = await relay();
    await k.member([counting]);
    let over = false;
    const load = (async () => {
      let position = 0n;
      while (!over) position = await manyViews(t, 50);
      return position;
    })();
    await eventually(() => first.state().state === 'active', { what: 'the first one is active' });
    const epoch = await leaseEpoch();
    for (let start = 0; start < 5; start++) {
      const second = await relay();
      await eventually(() => second.state().state === 'standby', {
        what: 'the second one has found that the lease is taken',
      });
      await second.stop();
    }
    over = true;
    await k.reached('counting', await load);
    expect(first.state().state).toBe('active');
    // The epoch rises each time the lease is taken.
    expect(await leaseEpoch()).toBe(epoch);
  });

  test('writes events that any CloudEvents reader understands, with their place in the log', async () => {
    await k.relay();
    const position = await t.append('session-1', {
      type: 'SessionRefreshed',
      data: { sessionId: 's', userId: 'u', expiresAt: 'e', at: 'a' },
    });
    await using topic = await readAlong();
    const found = await eventually(() => topic.found.filter(({ value }) => value !== null), {
      what: 'it is in the topic',
      holds: (list) => list.length === 1,
    });
    const { key, value, headers } = found[0]!;
    expect(String(key)).toBe('session-1');
    expect(headers['content-type']).toBe('application/cloudevents+json');
    expect(headers['position']).toBe(String(position));
    expect(JSON.parse(value!)).toEqual({
      specversion: '1.0',
      id: expect.any(String),
      source: `urn:reelstream:log:${headers['log']}`,
      type: 'SessionRefreshed',
      subject: 'session-1',
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      datacontenttype: 'application/json',
      position: String(position),
      revision: 0,
      schemaversion: 1,
      correlationid: 'test',
      data: { sessionId: 's', userId: 'u', expiresAt: 'e', at: 'a' },
    });
  });
});

async function leaseEpoch(): Promise<bigint> {
  const { rows } = await t.pool.query<{ epoch: bigint }>('select epoch from reelstream.leases where name = $1', [
    leaseName(k.topic),
  ]);
  return rows[0]!.epoch;
}

const children = new Set<ChildProcess>();
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
});

function startRelayProcess(): ChildProcess {
  const child = spawn(process.execPath, [RELAY], {
    env: { ...process.env, DATABASE_URL: t.url, KAFKA_TOPIC: k.topic, NODE_OPTIONS: '' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  children.add(child);
  return child;
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

interface Found {
  readonly partition: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: Record<string, string>;
  readonly record: KafkaRecord;
}

/** Reads the topic from its beginning, and the new records as they arrive. */
interface Reading extends AsyncDisposable {
  /** In the order of offsets in each partition. */
  readonly found: readonly Found[];
  /** Waits until everything that is in the topic now has been read. */
  upToDate(): Promise<readonly Found[]>;
}

async function readAlong(): Promise<Reading> {
  const found: Found[] = [];
  const last = new Map<number, bigint>();
  const consumer = k.line.kafka.consumer({ groupId: `${k.groupId}.look.${randomUUID()}` });
  await consumer.connect();
  await consumer.subscribe({ topic: k.topic, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: ({ partition, message }) => {
      // After a failed fetch the client may ask for the same records again.
      if (BigInt(message.offset) <= (last.get(partition) ?? -1n)) return Promise.resolve();
      last.set(partition, BigInt(message.offset));
      if (logIdOf(message) !== undefined) {
        const headers = Object.fromEntries(
          Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]),
        );
        found.push({
          partition,
          key: message.key && String(message.key),
          value: message.value && String(message.value),
          headers,
          record: readRecord(message),
        });
      }
      return Promise.resolve();
    },
  });
  return {
    found,
    async upToDate() {
      const admin = k.line.kafka.admin();
      await admin.connect();
      const ends = await admin.fetchTopicOffsets(k.topic).finally(() => admin.disconnect());
      await eventually(() => ends.every(({ partition, high }) => (last.get(partition) ?? -1n) >= BigInt(high) - 1n), {
        what: 'the topic has been read to its end',
        within: 30_000,
      });
      return found;
    },
    [Symbol.asyncDispose]: () => consumer.disconnect(),
  };
}

/** What readers rely on: without the repeated records, each record follows the one that it names. */
function expectFirstOccurrencesInOrder(all: readonly Found[]): void {
  const last = new Map<number, bigint>();
  for (const {
    partition,
    record: { position, previous },
  } of all) {
    const end = last.get(partition) ?? 0n;
    if (position <= end) continue;
    expect(previous <= end).toBe(true);
    last.set(partition, position);
  }
}
