import { isDeepStrictEqual } from 'node:util';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { countedViews, countingViews, evenly, manyViews, viewed, viewsOf } from '../../tests/support/countingViews.ts';
import { eventually } from '../../tests/support/eventually.ts';
import { createKafkaTest, describeWithKafka, type KafkaTest } from '../../tests/support/kafka.ts';
import { createProjectingTest, type ProjectingTest } from '../../tests/support/projecting.ts';
import { trails, trailsOf } from '../../tests/support/trails.ts';
import { readCheckpoints } from './checkpoints.ts';
import { listParked } from './parking/parkedEvents.ts';
import { retryParked } from './parking/retry.ts';
import { countParked } from './status.ts';
import { rebuild } from './rebuilding/rebuild.ts';
import { verify } from './rebuilding/verify.ts';
import type { KafkaRelay } from '../delivery/kafka/kafkaRelay.ts';

// Members come and go, and a consumer group takes seconds for each change.
jest.setTimeout(180_000);

let t: ProjectingTest;
let k: KafkaTest;
const counting = countingViews();

describeWithKafka('delivery through Kafka', () => {
  beforeEach(async () => {
    t = await createProjectingTest();
    k = createKafkaTest(t);
  });
  afterEach(async () => {
    await k[Symbol.asyncDispose]();
    await t[Symbol.asyncDispose]();
  });

  test('delivers the events that are in the log and those that follow, in the partitions of the topic', async () => {
    await manyViews(t, 50);
    await k.relay();
    await k.member([counting]);
    await k.reached('counting', await manyViews(t, 50));
    expect(await countedViews(t.pool)).toEqual(evenly(20));
    const checkpoints = await readCheckpoints(t.pool, 'counting');
    expect(checkpoints.map(({ partitions }) => partitions)).toEqual([4, 4, 4, 4]);
  });

  test('wakes those who wait for one stream when its partition has it, and those who wait for the log with the watermarks', async () => {
    await k.relay();
    await k.member([counting]);
    await k.reached('counting', await t.append(viewsOf(0), viewed(0)));
    for (let n = 0; n < 5; n++) {
      const position = await t.append(viewsOf(n), viewed(n));
      expect(await k.progress.waitFor('counting', position, { timeoutMs: 30_000, stream: viewsOf(n) })).toBe(true);
      expect(await k.progress.waitFor('counting', position, { timeoutMs: 30_000 })).toBe(true);
    }
  });

  test('parks a stream until a retry, which no event passes while others arrive', async () => {
    let broken = true;
    const consumer = trails({ refuse: (viewer) => broken && viewer === 'bad' });
    const view = (video: number, ...viewers: string[]): Promise<bigint> =>
      t.append(viewsOf(video), ...viewers.map((viewer) => viewed(video, viewer)));
    await k.relay();
    await k.member([consumer]);
    await view(1, 'bad', 'p');
    await k.reached('trails', await view(2, 'x'));
    await eventually(() => countParked(t.pool, 'trails'), { what: 'the events are parked', holds: (n) => n === 2 });
    const { events } = await listParked(t.pool, consumer, { after: 0n, limit: 1 });
    broken = false;
    const flowing = (async () => {
      let position = 0n;
      for (let n = 0; n < 50; n++) position = await view(1, `l${n}`);
      return position;
    })();
    await retryParked(t.of(consumer), events[0]!.id);
    await k.reached('trails', await flowing);
    const expected = ['bad', 'p', ...Array.from({ length: 50 }, (_, n) => `l${n}`)];
    expect(await trailsOf(t.pool)).toEqual({ [viewsOf(1)]: expected, [viewsOf(2)]: ['x'] });
    expect(await verify(t.of(consumer))).toMatchObject({ identical: true });
  });

  test('can be switched from the store to Kafka and back on the same database', async () => {
    const direct = await t.run([counting]);
    await direct.reached('counting', await manyViews(t, 100));
    await direct.stop();
    await k.relay();
    const member = await k.member([counting]);
    await k.reached('counting', await manyViews(t, 100));
    const most = await manyViews(t, 100);
    await member.stop();
    const again = await t.run([counting]);
    await again.reached('counting', most);
    expect(await countedViews(t.pool)).toEqual(evenly(60));
    expect(await verify(t.of(counting))).toMatchObject({ identical: true });
  });

  test('divides the partitions among members that come and go under load', async () => {
    await k.relay();
    const first = await k.member([counting]);
    const load = (async () => {
      let position = 0n;
      for (let round = 0; round < 40; round++) position = await manyViews(t, 50);
      return position;
    })();
    const second = await k.member([counting]);
    await k.settled('counting');
    await first.stop();
    const third = await k.member([counting]);
    await k.settled('counting');
    await second.stop();
    await k.reached('counting', await load);
    await k.member([counting]);
    await third.stop();
    await k.reached('counting', await manyViews(t, 100));
    expect(await countedViews(t.pool)).toEqual(evenly(420));
  });

  test('is rebuilt from the event store while events flow through Kafka, and goes on in all partitions', async () => {
    await k.relay();
    await Promise.all([k.member([counting]), k.member([counting])]);
    await k.reached('counting', await manyViews(t, 100));
    const load = (async () => {
      for (let round = 0; round < 20; round++) await manyViews(t, 25);
    })();
    for (let round = 0; round < 3; round++) await rebuild(t.of(counting));
    await load;
    await k.reached('counting', await manyViews(t, 100));
    expect(await countedViews(t.pool)).toEqual(evenly(140));
    expect((await readCheckpoints(t.pool, 'counting')).map(({ partitions }) => partitions)).toEqual([4, 4, 4, 4]);
  });

  test('recovers by itself when the broker was away while events were appended', async () => {
    await k.relay();
    await k.member([counting]);
    await k.reached('counting', await manyViews(t, 50));
    k.line.cut();
    const position = await manyViews(t, 200);
    expect(await k.progress.waitFor('counting', position, { timeoutMs: 300 })).toBe(false);
    k.line.restore();
    await k.reached('counting', position);
    expect(await countedViews(t.pool)).toEqual(evenly(50));
  });

  test('starts without a broker, and delivers when there is one', async () => {
    k.line.cut();
    await k.relay();
    await k.member([counting]);
    const position = await manyViews(t, 50);
    k.line.restore();
    await k.reached('counting', position);
    expect(await countedViews(t.pool)).toEqual(evenly(10));
  });

  test('reads the event store where the topic has lost its beginning', async () => {
    await k.relay();
    const member = await k.member([counting]);
    await k.reached('counting', await manyViews(t, 20));
    await member.stop();
    await manyViews(t, 100);
    await copied();
    const admin = k.line.kafka.admin();
    await admin.connect();
    const offsets = await admin.fetchTopicOffsets(k.topic);
    await admin.deleteTopicRecords({
      topic: k.topic,
      partitions: offsets.map(({ partition, high }) => ({ partition, offset: high })),
    });
    await admin.disconnect();
    await k.member([counting]);
    await k.reached('counting', await manyViews(t, 5));
    expect(await countedViews(t.pool)).toEqual(evenly(25));
  });

  test('reads the event store when rows were restored to before the committed offsets, even if no new event arrives', async () => {
    await k.relay();
    const member = await k.member([counting]);
    await k.reached('counting', await manyViews(t, 20));
    await t.pool.query(
      'create table backup_seen as table counting.seen; create table backup_checkpoints as table counting.checkpoints',
    );
    await k.reached('counting', await manyViews(t, 20));
    await member.stop();
    await t.pool.query(`
      truncate counting.seen, counting.checkpoints;
      insert into counting.seen table backup_seen;
      insert into counting.checkpoints table backup_checkpoints`);
    await k.member([counting]);
    await eventually(() => countedViews(t.pool), {
      within: 50_000,
      what: 'all is counted',
      holds: (counts) => isDeepStrictEqual(counts, evenly(8)),
    });
  });

  test('refuses a topic that another log has filled', async () => {
    const relay = await k.relay();
    await k.member([counting]);
    await k.reached('counting', await manyViews(t, 5));
    await copied();
    await relay.stop();
    await using other = await createProjectingTest();
    await other.append(viewsOf(1), viewed(1));
    await using otherKafka = createKafkaTest(other);
    expect(await refusal(() => otherKafka.relay({ topic: k.topic }))).toMatch(
      /holds events of another event log. Set KAFKA_TOPIC to a new name/,
    );
  });

  test('reads no record of another log that somebody wrote into the topic', async () => {
    await k.relay();
    const member = await k.member([counting]);
    await k.reached('counting', await manyViews(t, 5));
    const producer = k.line.kafka.producer();
    await producer.connect();
    await producer.send({
      topic: k.topic,
      messages: [{ partition: 0, value: '{}', headers: { position: '999999', previous: '0', log: 'another' } }],
    });
    await producer.disconnect();
    await eventually(() => member.source.state().state === 'refused', { what: 'the member has noticed it' });
    expect(member.source.state().reason).toMatch(/holds events of another event log: none of it is read/);
    expect(await countedViews(t.pool)).toEqual(evenly(1));
  });

  test('refuses a topic whose number of partitions has changed, and a topic that is ahead of the log', async () => {
    const relay = await k.relay();
    await k.member([counting]);
    await k.reached('counting', await manyViews(t, 5));
    await copied();
    await relay.stop();
    const admin = k.line.kafka.admin();
    await admin.connect();
    await admin.createPartitions({ topicPartitions: [{ topic: k.topic, count: 6 }] });
    await eventually(() => admin.fetchTopicOffsets(k.topic), {
      what: 'the broker knows all six',
      holds: (offsets) => offsets.length === 6,
    });
    await admin.disconnect();
    expect(await refusal(() => k.relay())).toMatch(/has 6 partitions, but its events were spread over 4/);
    await t.pool.query('update reelstream.relays set position = position + 100');
    expect(await refusal(() => k.relay())).toMatch(/was filled up to position 105, but the event log ends at 5/);
  });
});

/** Waits until the topic holds the whole log. That a member has applied an event does not say so: it may have read the store. */
async function copied(): Promise<void> {
  const head = await t.store.head();
  const place = async (): Promise<bigint> => {
    const { rows } = await t.pool.query<{ position: bigint }>('select position from reelstream.relays');
    return rows[0]?.position ?? -1n;
  };
  await eventually(async () => (await place()) >= head, { what: 'the relay has copied the log' });
}

/** The message of a refused start. A start goes on without the check when the broker does not answer in time; it is then repeated. */
async function refusal(start: () => Promise<KafkaRelay>): Promise<string> {
  const attempt = async (): Promise<string | undefined> => {
    try {
      await (await start()).stop();
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  };
  return (await eventually(attempt, { what: 'a start is refused', within: 60_000 }))!;
}
