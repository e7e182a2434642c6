import { randomUUID } from 'node:crypto';
import type { Socket } from 'socket.io-client';
import { afterEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../../tests/support/eventually.ts';
import { useRealtime } from '../../tests/support/realtimeRig.ts';
import { startTcpProxy } from '../../tests/support/tcpProxy.ts';
import { createPostgresEventStore } from '../eventStore/postgres/postgresEventStore.ts';
import { createPool } from '../postgres/pool.ts';

const rig = useRealtime();
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A client behind a proxy on this machine. */
const from = (url: string, address: string): Promise<Socket> =>
  rig.connect(url, undefined, { extraHeaders: { 'X-Forwarded-For': address } });
const subscribe = (socket: Socket, request: { topics: string[]; since?: string }): Promise<unknown> =>
  socket.emitWithAck('subscribe', request);

function heardOn(socket: Socket): unknown[] {
  const heard: unknown[] = [];
  socket.on('event', (event) => heard.push(event));
  return heard;
}

test('many subscribers from one address that catch up do not keep a subscriber from another address waiting', async () => {
  const { main } = await rig.startApi({ trustProxy: 'loopback' });
  const topics = [`video:${randomUUID()}`];
  const EVENTS = 3_000;
  await rig.like(topics[0]!.slice('video:'.length), EVENTS);
  const greedy = await Promise.all(Array.from({ length: 30 }, () => from(main, '203.0.113.1')));
  const other = await from(main, '203.0.113.2');
  const [heard, othersHeard] = [greedy.map(heardOn), heardOn(other)];
  const served = (): number => heard.filter(({ length }) => length === EVENTS).length;
  let servedBeforeOther: number | undefined;
  other.on('event', () => {
    if (othersHeard.length === EVENTS) servedBeforeOther = served();
  });
  const answers = await Promise.all(greedy.map((socket) => subscribe(socket, { topics, since: '0' })));
  expect(await subscribe(other, { topics, since: '0' })).toMatchObject({ ok: true });
  expect(answers).toEqual(greedy.map(() => ({ ok: true, position: '0' })));
  await eventually(() => served() === greedy.length && othersHeard.length === EVENTS, {
    what: 'all have caught up',
    within: 100_000,
  });
  // The other address needs six turns. The greedy one needs 180, and its subscribers share them evenly, so all of them
  // end late. First come, first served would serve all of them before the other address.
  expect(servedBeforeOther).toBeLessThan(greedy.length / 2);
}, 120_000);

describe('sockets of one address', () => {
  const refused = { data: { code: 'too_many_sockets' }, message: expect.stringContaining('your address') };

  test('are limited, on both ports together, and let others in', async () => {
    const { main, legacy } = await rig.startApi({ limits: { perAddress: 3 }, trustProxy: 'loopback' });
    const first = await from(main, '203.0.113.1');
    await Promise.all([from(main, '203.0.113.1'), from(legacy, '203.0.113.1')]);
    for (const url of [main, legacy]) await expect(from(url, '203.0.113.1')).rejects.toMatchObject(refused);
    await from(main, '203.0.113.2');
    first.disconnect();
    await eventually(() => from(main, '203.0.113.1'), { what: 'there is a place again' });
  });

  test('are counted per IPv6 network', async () => {
    const { main } = await rig.startApi({ limits: { perAddress: 1 }, trustProxy: 'loopback' });
    await from(main, '2001:db8::1');
    await expect(from(main, '2001:db8::2')).rejects.toMatchObject(refused);
    await from(main, '2001:db8:0:1::1');
  });

  test('are counted by the address of the connection when the proxy is not trusted', async () => {
    const { main } = await rig.startApi({ limits: { perAddress: 1 } });
    await from(main, '203.0.113.1');
    await expect(from(main, '203.0.113.2')).rejects.toMatchObject(refused);
  });

  test('also count when they use long polling', async () => {
    const { main } = await rig.startApi({ limits: { perAddress: 1 } });
    await rig.connect(main, undefined, { transports: ['polling'] });
    await expect(rig.connect(main, undefined, { transports: ['polling'] })).rejects.toMatchObject(refused);
  });
});

test('only so many subscribers from one address may catch up at a time; other addresses and other subscriptions are accepted', async () => {
  const proxy = await startTcpProxy(rig.database().url);
  const pool = createPool({ connectionString: proxy.url, name: 'behind a proxy' });
  const store = createPostgresEventStore({ pool });
  cleanups.push(
    async () => proxy[Symbol.asyncDispose](),
    () => pool.end(),
    () => store.close(),
  );
  const video = randomUUID();
  const [since] = await rig.like(video, 3);
  const { main, close } = await rig.startApi({ limits: { catchUpsPerAddress: 2 }, trustProxy: 'loopback', store });
  cleanups.push(close);
  const [one, two, three, four, elsewhere] = await Promise.all(
    ['1', '1', '1', '1', '2'].map((last) => from(main, `203.0.113.${last}`)),
  );
  const request = { topics: [`video:${video}`], since: since! };
  expect(await subscribe(four!, { topics: request.topics })).toMatchObject({ ok: true });

  proxy.hang();
  const heard = [one!, three!, elsewhere!].map(heardOn);
  expect(await subscribe(one!, request)).toMatchObject({ ok: true });
  expect(await subscribe(two!, request)).toMatchObject({ ok: true });
  expect(await subscribe(three!, request)).toEqual({
    ok: false,
    error: { code: 'too_many_catch_ups', message: expect.stringContaining('Try again') },
  });
  expect(await subscribe(three!, { topics: request.topics })).toMatchObject({ ok: true });
  expect(await subscribe(elsewhere!, request)).toMatchObject({ ok: true });
  two!.disconnect();
  await eventually(async () => ((await subscribe(three!, request)) as { ok: boolean }).ok, {
    what: 'a place is free again',
  });
  proxy.restore();
  await eventually(() => heard.every(({ length }) => length === 2), { what: 'all have caught up' });
  // Their places are free again, so a new subscriber from the same address is accepted.
  expect(await subscribe(four!, request)).toMatchObject({ ok: true });
});
