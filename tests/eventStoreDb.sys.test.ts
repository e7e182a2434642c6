import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { eventually } from './support/eventually.ts';
import { startEventStoreDbDouble, type EventStoreDbDouble } from './support/eventStoreDbDouble/eventStoreDbDouble.ts';
import { createDoubleLog } from './support/eventStoreDbDouble/log.ts';
import { followFeed } from './support/feedFollower.ts';
import { freePorts } from './support/freePorts.ts';
import { startSpanReceiver, type Span } from './support/spanReceiver.ts';
import { Instance, login, newPlace, register, type Place } from './support/instance.ts';

jest.setTimeout(240_000);

/**
 * Several requests at the same time: one call does not show all failures of a client that searches for a new leader.
 */
const REQUESTS = 20;

let place: Place;
let nodes: readonly [EventStoreDbDouble, EventStoreDbDouble];
let instance: Instance | undefined;

beforeEach(async () => {
  place = await newPlace();
  const log = createDoubleLog();
  nodes = [await startEventStoreDbDouble({ log }), await startEventStoreDbDouble({ log })];
  nodes[1].follow(nodes[0]);
});

afterEach(async () => {
  await instance?.[Symbol.asyncDispose]();
  instance = undefined;
  for (const node of nodes) await node[Symbol.asyncDispose]();
  await place[Symbol.asyncDispose]();
});

function start(eventStoreUrl: string, env: Record<string, string> = {}): Instance {
  return (instance = new Instance({ ...place, env: { EVENTSTORE_URL: eventStoreUrl, ...env } }));
}

const clusterUrl = (): string => `kurrentdb://127.0.0.1:${nodes[0].port},127.0.0.1:${nodes[1].port}?tls=false`;

function startElection(): void {
  for (const node of nodes) node.elect();
}

function endElection(): void {
  nodes[1].follow(undefined);
  nodes[0].follow(nodes[1]);
}

test('a process survives an election that takes longer than its client’s search for a leader', async () => {
  const running = await start(clusterUrl()).ready();
  expect(await register(running)).toBe(201);
  startElection();
  const statuses = await Promise.all(Array.from({ length: REQUESTS }, () => login(running)));
  expect(running.running).toBe(true);
  expect(new Set(statuses)).toEqual(new Set([503]));
  endElection();
  await eventually(async () => (await login(running)) === 200, { within: 60_000, what: 'Ada can log in again' });
  expect(running.running).toBe(true);
});

test('an append to EventStoreDB is in the trace of its request, and what the client does by itself is in none', async () => {
  await using receiver = await startSpanReceiver();
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_BSP_SCHEDULE_DELAY: '50',
  };
  const running = await start(clusterUrl(), env).ready();
  expect(await register(running)).toBe(201);
  const appendOf = (): Span | undefined =>
    receiver.spans.find(({ attributes }) => /append/i.test(String(attributes['rpc.method'])));
  const append = (await eventually(appendOf, { what: 'the span of an append arrives' }))!;
  await running.stop();
  const spans = receiver.ofTrace(append.traceId);
  expect(spans.find(({ spanId }) => spanId === append.parentSpanId)).toMatchObject({
    name: expect.stringMatching(/^append (email|username|user)$/),
  });
  expect(spans.map(({ name }) => name)).toContain('POST /api/v1/auth/register');
  const roots = receiver.spans.filter(({ parentSpanId = '' }) => parentSpanId === '');
  expect(new Set(roots.map(({ name }) => name))).toEqual(new Set(['POST /api/v1/auth/register']));
});

test('a start during an election waits until the election ends', async () => {
  startElection();
  const starting = start(clusterUrl());
  await eventually(async () => (await fetch(`${starting.url}/health/ready`)).status === 503, {
    within: 60_000,
    what: 'the process answers',
    giveUp: () => !starting.running,
  });
  await eventually(() => starting.output.includes('EventStoreDB does not answer yet'), {
    within: 60_000,
    what: 'the log says that it waits',
    giveUp: () => !starting.running,
  });
  endElection();
  await starting.ready();
  expect(await register(starting)).toBe(201);
});

test('each part that notices an outage at the start logs it once, without a stack, and a stop during it logs no error', async () => {
  const [port] = await freePorts(1);
  const starting = start(`esdb://127.0.0.1:${port}?tls=false`, { LOG_LEVEL: 'debug' });
  const lines = (level: string): string[] =>
    starting.output.split('\n').filter((line) => line.includes(`"level":"${level}"`));
  const follower = followFeed(starting.url, { topics: ['feed'] });
  const isRefused = (): boolean => follower.errors.length > 1;
  const failsToPrepare = (): boolean => lines('debug').filter((line) => line.includes('preparing likes')).length > 1;
  try {
    await eventually(() => isRefused() && failsToPrepare(), {
      within: 60_000,
      what: 'a follower was refused twice, and a projection has failed twice',
      giveUp: () => !starting.running,
    });
  } finally {
    follower.socket.disconnect();
  }
  expect(follower.errors[0]).toMatchObject({ code: 'feed_unavailable' });
  const said = [...lines('warn'), ...lines('error')];
  const messages = said.map((line) => (JSON.parse(line) as { msg: string }).msg);
  expect(messages.filter((message, index) => messages.indexOf(message) !== index)).toEqual([]);
  expect(said.filter((line) => line.includes('"stack"'))).toEqual([]);
  const errors = lines('error').length;
  expect(await starting.stop()).toMatchObject({ code: 0 });
  expect(lines('error').slice(errors)).toEqual([]);
});

test('a start ends with a sentence when the user may not read $all', async () => {
  nodes[0].faults.plan('read', 'denied', Infinity);
  const { code, output } = await start(nodes[0].url).ended;
  expect(code).toBe(1);
  const [sentence, ...others] = output
    .trim()
    .split('\n')
    .filter((line) => !line.startsWith('{'));
  expect(sentence).toMatch(/^EventStoreDB denied .*EVENTSTORE_URL must name a user.*\$admins.*\$all/);
  expect(others).toEqual([]);
});
