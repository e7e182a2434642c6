import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Socket } from 'socket.io-client';
import { eventually } from '../../tests/support/eventually.ts';
import { socketToken, useRealtime } from '../../tests/support/realtimeRig.ts';
import type { EventStore } from '../core/eventStore.ts';
import { LEFT_OUT } from '../core/eventTypes.ts';
import type { LogEvent } from './logEvent.ts';

const rig = useRealtime();
const aborts: AbortController[] = [];
afterEach(() => aborts.splice(0).forEach((abort) => abort.abort()));

const admin = (seconds?: number): string => socketToken('root', seconds, 'admin');
const subscribe = (socket: Socket, request: object): Promise<unknown> => socket.emitWithAck('subscribe', request);

async function append(stream: string, type: string, data: object): Promise<bigint> {
  const metadata = { correlationId: 'c', actor: 'me', traceparent: 'secret', schemaVersion: 1 };
  return (await rig.store().append(stream, [{ id: randomUUID(), type, data, metadata }], 'any')).position;
}

/** The positions of all events after one. */
async function positionsAfter(after: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { events } of rig.store().readAll({ after: BigInt(after) }))
    found.push(...events.map(({ position }) => String(position)));
  return found;
}

describe('the topic log', () => {
  test('is for admins', async () => {
    const { main, legacy } = await rig.startApi();
    const sockets = [await rig.connect(main), await rig.connect(legacy, socketToken('ada'))];
    for (const socket of sockets)
      expect(await subscribe(socket, { topics: ['log'] })).toEqual({
        ok: false,
        error: { code: 'admin_required', message: expect.stringContaining('role admin') },
      });
  });

  test('is subscribed to alone', async () => {
    const { main } = await rig.startApi();
    const socket = await rig.connect(main, admin());
    expect(await subscribe(socket, { topics: ['log', 'me'] })).toMatchObject({
      ok: false,
      error: { code: 'invalid_subscription', message: expect.stringContaining('alone') },
    });
    expect(await subscribe(socket, { topics: ['log'] })).toMatchObject({ ok: true });
  });

  test('has every event, also those that nobody else hears of and unknown ones, without personal data', async () => {
    const { main } = await rig.startApi();
    const socket = await rig.connect(main, admin());
    const heard: LogEvent[] = [];
    socket.on('event', (event: LogEvent) => heard.push(event));
    await subscribe(socket, { topics: ['log'] });
    const userId = randomUUID();
    const at = '2025-01-01T00:00:00.000Z';
    const open = { name: 'Plain Name', username: 'plain', email: 'plain@example.org', passwordHash: '$argon2id$' };
    await append(`user-${userId}`, 'UserRegistered', { userId, ...open, at });
    await append('email-hash', 'EmailReserved', { userId, at });
    await append('views-v_2025', 'VideoViewed', { videoId: 'v', ownerId: userId, viewer: 'addr:hash', at });
    const last = await append('other-1', 'Unknown', { ...open });
    await eventually(() => heard.at(-1)?.position, { what: 'all are heard', holds: (found) => found === String(last) });
    expect(JSON.stringify(heard)).not.toMatch(/plain|argon2id|addr:|secret/i);
    const left = { name: LEFT_OUT, username: LEFT_OUT, email: LEFT_OUT, passwordHash: LEFT_OUT };
    expect(heard).toMatchObject([
      { type: 'UserRegistered', stream: `user-${userId}`, revision: 0, data: { userId, ...left, at } },
      { type: 'EmailReserved', data: { userId, at }, metadata: { correlationId: 'c', actor: 'me', schemaVersion: 1 } },
      { type: 'VideoViewed', data: { viewer: LEFT_OUT } },
      { type: 'Unknown', stream: 'other-1', data: null },
    ]);
  });

  test('is complete and in order across the end of the token and of the process, while others write', async () => {
    const api = await rig.startApi();
    const since = String(await rig.store().head());
    const writing = new AbortController();
    aborts.push(writing);
    const writers = Array.from({ length: 3 }, async (_, n) => {
      while (!writing.signal.aborted) {
        await append(`user-${n}`, n === 0 ? 'Unknown' : 'RegistrationAbandoned', { userId: String(n), at: 'now' });
        await rig.like(randomUUID(), 2);
      }
    });
    const tokens = [admin(3)];
    const follower = rig.follow(api.main, {
      topics: ['log'],
      since,
      auth: (give: (auth: object) => void) => give({ token: tokens.shift() ?? admin() }),
    });
    const subscribed = (times: number): Promise<boolean> =>
      eventually(() => follower.subscribed() >= times, { what: `it has subscribed ${times} times` });
    await subscribed(2);
    await api.close();
    await rig.startApi({ port: Number(new URL(api.main).port) });
    await subscribed(3);
    writing.abort();
    await Promise.all(writers);
    const expected = await positionsAfter(since);
    await eventually(() => follower.heard.length >= expected.length, { what: 'all are heard' });
    expect(follower.heard.map(({ position }) => position)).toEqual(expected);
  });

  test('has what was missed, however much that is', async () => {
    const { main } = await rig.startApi();
    const since = String(await rig.store().head());
    await rig.like(randomUUID(), 20_500);
    const follower = rig.follow(main, { topics: ['log'], since, auth: { token: admin() } });
    const expected = await positionsAfter(since);
    await eventually(() => follower.heard.length >= expected.length, { what: 'all are heard', within: 50_000 });
    expect(follower.heard.map(({ position }) => position)).toEqual(expected);
    expect(follower.errors).toEqual([]);
  }, 60_000);

  test('makes the process read all events only while somebody is subscribed to it', async () => {
    const whole = new Set<AbortSignal>();
    const store: EventStore = {
      ...rig.store(),
      subscribe: (options) => {
        if (options.types === undefined) {
          whole.add(options.signal!);
          options.signal!.addEventListener('abort', () => whole.delete(options.signal!));
        }
        return rig.store().subscribe(options);
      },
    };
    const { main } = await rig.startApi({ store });
    const sockets = [await rig.connect(main, admin()), await rig.connect(main, admin())];
    const [one, other] = sockets;
    expect(await subscribe(one!, { topics: ['feed'] })).toMatchObject({ ok: true });
    expect(whole.size).toBe(0);
    for (const socket of sockets) expect(await subscribe(socket, { topics: ['log'] })).toMatchObject({ ok: true });
    expect(whole.size).toBe(1);
    expect(await subscribe(one!, { topics: ['feed'] })).toMatchObject({ ok: true });
    expect(whole.size).toBe(1);
    other!.disconnect();
    await eventually(() => whole.size === 0, { what: 'nobody reads all events' });
    expect(await subscribe(one!, { topics: ['log'] })).toMatchObject({ ok: true });
    expect(whole.size).toBe(1);
  });
});
