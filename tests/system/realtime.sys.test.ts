import { afterEach, beforeAll, describe, expect } from '@jest/globals';
import type { Socket } from 'socket.io-client';
import { eventually } from '../support/eventually.ts';
import { clip } from '../support/clips.ts';
import { followFeed, type HeardEvent } from '../support/feedFollower.ts';
import { connect as connectSocket } from '../support/systemSockets.ts';
import { call, newPerson, setLike, toggleLike, upload, uploaded } from '../support/systemClient.ts';
import { useSystem } from '../support/useSystem.ts';

interface Progress {
  readonly progress: number;
  /** Undefined on the port of the original server. */
  readonly videoId?: string;
  readonly stage?: string;
}

const SOCKETS_PER_ADDRESS = 20;
const { system, systemTest } = useSystem({
  environment: { TRUST_PROXY: 'loopback', SOCKETS_PER_ADDRESS: String(SOCKETS_PER_ADDRESS) },
});
const sockets: Socket[] = [];
let plain = '';

beforeAll(async () => {
  plain = await clip('plain');
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.disconnect();
});

async function connect(url: string, token?: string, headers?: Record<string, string>): Promise<Socket> {
  const socket = await connectSocket(url, token, headers);
  sockets.push(socket);
  return socket;
}

function progressHeard(socket: Socket, userId: string): Progress[] {
  const heard: Progress[] = [];
  socket.on(`uploadProgress-${userId}`, (progress: Progress) => heard.push(progress));
  return heard;
}

describe('real time', () => {
  systemTest(
    'every socket on the original server’s port hears only the progress of an upload, up to 100, whichever API takes the upload',
    async () => {
      const person = await newPerson(system().api());
      const heard = await Promise.all(
        system().sockets.map(async (url) => progressHeard(await connect(url), person.id)),
      );
      await uploaded(system().apis[0]!, person.token, plain);
      for (const each of heard) {
        await eventually(() => each.at(-1)?.progress, { what: 'progress reaches 100', holds: (last) => last === 100 });
        const values = each.map(({ progress }) => progress);
        expect(values).toEqual([...values].sort((a, b) => a - b));
        expect(values[0]).toBeLessThan(100);
        expect(each).toEqual(values.map((progress) => ({ progress })));
      }
    },
  );

  systemTest('on the API’s own port only the uploader hears it, with the video and the stage', async () => {
    const [person, stranger] = [await newPerson(system().api()), await newPerson(system().api())];
    const last = system().apis.at(-1)!;
    const own = progressHeard(await connect(last, person.token), person.id);
    const others = progressHeard(await connect(last, stranger.token), person.id);
    const anonymous = progressHeard(await connect(last), person.id);
    const video = await uploaded(system().apis[0]!, person.token, plain);
    await eventually(() => own.at(-1)?.progress, {
      what: 'progress reaches 100',
      holds: (progress) => progress === 100,
    });
    expect(own.at(-1)).toEqual({ progress: 100, videoId: video.id, stage: 'ready' });
    expect([others, anonymous]).toEqual([[], []]);
  });

  systemTest('a socket with a bad token is refused', async () => {
    await expect(connect(system().api(), 'nonsense')).rejects.toThrow('token');
  });

  systemTest('an address at its limit of sockets gets no more, also behind a proxy; other addresses do', async () => {
    const api = system().apis[0]!;
    const from = (address: string): Promise<Socket> => connect(api, undefined, { 'X-Forwarded-For': address });
    for (let count = 0; count < SOCKETS_PER_ADDRESS; count += 1) await from('203.0.113.1');
    await expect(from('203.0.113.1')).rejects.toMatchObject({ data: { code: 'too_many_sockets' } });
    await from('203.0.113.2');
  });

  systemTest(
    'a subscriber gets a video’s events in order, without gap or repeat, also after it reconnects to another API',
    async () => {
      const [owner, fan] = [await newPerson(system().api()), await newPerson(system().api())];
      const { id } = await uploaded(system().api(), owner.token, plain);
      const topics = [`video:${id}`];

      const first = await connect(system().apis[0]!);
      const heard = likesHeard(first);
      const ack = (await first.timeout(5_000).emitWithAck('subscribe', { topics })) as {
        ok: boolean;
        position: string;
      };
      expect(ack).toMatchObject({ ok: true, position: expect.stringMatching(/^\d+$/) });
      for (let turn = 0; turn < 4; turn += 1) await toggleLike(system().api(), id, fan.token);
      await eventually(() => heard.length, { what: 'four events are heard', holds: (count) => count >= 4 });
      first.disconnect();

      await toggleLike(system().api(), id, fan.token);
      await setLike(system().api(), id, owner.token);
      const second = await connect(system().apis.at(-1)!);
      const more = likesHeard(second);
      await second.timeout(5_000).emitWithAck('subscribe', { topics, since: heard.at(-1)!.position });
      await toggleLike(system().api(), id, fan.token);
      await eventually(() => more.length, { what: 'three more events are heard', holds: (count) => count >= 3 });

      const all = [...heard, ...more];
      expect(all.map(({ type }) => type)).toEqual([
        'VideoLiked',
        'VideoUnliked',
        'VideoLiked',
        'VideoUnliked',
        'VideoLiked',
        'VideoLiked',
        'VideoUnliked',
      ]);
      const positions = all.map(({ position }) => BigInt(position));
      expect(positions.every((position, index) => index === 0 || position > positions[index - 1]!)).toBe(true);
      for (const personal of [fan.email, fan.name, owner.email]) expect(JSON.stringify(all)).not.toContain(personal);
    },
  );

  systemTest(
    'only its owner hears that a video was deleted before it was public',
    async () => {
      const owner = await newPerson(system().api());
      const api = system().apis[0]!;
      const own = heardOn(await subscribed(api, ['me'], owner.token));
      const feed = heardOn(await subscribed(api, ['feed']));

      const hidden = await upload(api, owner.token, await clip('slow'), { headers: { prefer: 'respond-async' } });
      expect(hidden.status).toBe(202);
      const stranger = heardOn(await subscribed(api, [`video:${hidden.data.id}`]));
      expect((await call(api, 'DELETE', `/api/v1/video/${hidden.data.id}`, { token: owner.token })).status).toBe(204);
      const shown = await uploaded(api, owner.token, plain);
      expect((await call(api, 'DELETE', `/api/v1/video/${shown.id}`, { token: owner.token })).status).toBe(204);

      // Events come in the order of the log: a subscriber who hears the second deletion cannot hear the first one
      // later.
      const deleted = (heard: readonly HeardEvent[]): string[] =>
        heard.filter(({ type }) => type === 'VideoDeleted').map(({ data }) => data.videoId);
      await eventually(() => [own, feed].every((heard) => deleted(heard).includes(shown.id)), {
        what: 'the second deletion is heard',
      });
      expect(deleted(own)).toEqual([hidden.data.id, shown.id]);
      expect(deleted(feed)).toEqual([shown.id]);
      expect(stranger).toEqual([]);
    },
    120_000,
  );

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    systemTest(
      `clients reconnect by themselves after a ${signal}, on both ports and transports, and no event is lost or repeated`,
      async () => {
        const target = system().playing('api')[0]!;
        const [owner, fan] = [await newPerson(target.url), await newPerson(target.url)];
        const { id } = await uploaded(target.url, owner.token, plain);
        const followers = [target.url, target.socketUrl].flatMap((url) =>
          ['websocket', 'polling'].map((transport) =>
            followFeed(url, { topics: [`video:${id}`], transports: [transport] }),
          ),
        );
        sockets.push(...followers.map(({ socket }) => socket));
        const subscribedTimes = (times: number): Promise<boolean> =>
          eventually(() => followers.every((each) => each.subscribed() >= times), {
            what: `all have subscribed ${times} times`,
          });
        await subscribedTimes(1);

        const positions: string[] = [];
        const toggle = async (api: string): Promise<void> => {
          const answer = await toggleLike(api, id, fan.token);
          expect(answer.status).toBe(200);
          positions.push(String(answer.position));
        };
        for (let turn = 0; turn < 3; turn += 1) await toggle(target.url);
        expect(await target.end(signal)).toBe(signal === 'SIGTERM' ? 0 : null);
        for (const api of system().apis.filter((url) => url !== target.url)) await toggle(api);
        await target.start();
        await toggle(target.url);
        await subscribedTimes(2);
        await toggle(target.url);

        for (const { heard, disconnects } of followers) {
          const likes = (): string[] => heard.filter(isLike).map(({ position }) => position);
          await eventually(() => likes().length, {
            what: 'all likes are heard',
            holds: (count) => count >= positions.length,
          });
          expect(likes()).toEqual(positions);
          expect(disconnects).not.toContain('io server disconnect');
        }
      },
      150_000,
    );
  }
});

async function subscribed(url: string, topics: readonly string[], token?: string): Promise<Socket> {
  const socket = await connect(url, token);
  expect(await socket.timeout(5_000).emitWithAck('subscribe', { topics })).toMatchObject({ ok: true });
  return socket;
}

function heardOn(socket: Socket): HeardEvent[] {
  const heard: HeardEvent[] = [];
  socket.on('event', (event: HeardEvent) => heard.push(event));
  return heard;
}

const isLike = ({ type }: HeardEvent): boolean => type === 'VideoLiked' || type === 'VideoUnliked';

/** Only the likes and unlikes. A subscription without `since` may still hear the end of the upload before it. */
function likesHeard(socket: Socket): HeardEvent[] {
  const heard: HeardEvent[] = [];
  socket.on('event', (event: HeardEvent) => {
    if (isLike(event)) heard.push(event);
  });
  return heard;
}
