import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, expect } from '@jest/globals';
import { clip } from '../support/clips.ts';
import { eventually } from '../support/eventually.ts';
import {
  call,
  newPerson,
  upload,
  uploaded,
  type Answer,
  type Me,
  type Person,
  type Video,
} from '../support/systemClient.ts';
import { useSystem } from '../support/useSystem.ts';

const MAX_PENDING = 6;
const { system, systemTest } = useSystem({ environment: { UPLOAD_PENDING_MAX: String(MAX_PENDING) } });
let [ann, bob] = [] as unknown as [Person, Person];
let slow = '';
let plain = '';
beforeAll(async () => {
  [slow, plain] = [await clip('slow'), await clip('plain')];
  [ann, bob] = [await newPerson(system().api()), await newPerson(system().api())];
}, 60_000);

const sent = (person: Person, path: string): Promise<Answer<Video>> =>
  upload(system().api(), person.token, path, { headers: { prefer: 'respond-async' } });
const retry = (id: string, person: Person): Promise<Answer<Video>> =>
  call<Video>(system().api(), 'POST', `/api/v1/video/${id}/retry`, { token: person.token });
const remove = (id: string): Promise<Answer<unknown>> =>
  call(system().api(), 'DELETE', `/api/v1/video/${id}`, { token: ann.token });
const mine = async (person: Person): Promise<readonly Video[]> =>
  (await call<Me>(system().api(), 'GET', '/api/v1/auth/me', { token: person.token })).data.videos;

interface Running {
  readonly pid: number;
  readonly command: string;
}

/** Each FFmpeg that makes the movie of a video for this system, started by one of its processes or by a program of theirs. */
function ffmpegs(): readonly Running[] {
  const parents = new Map(
    readdirSync('/proc')
      .filter((pid) => /^\d+$/.test(pid))
      .map((pid) => [Number(pid), parentOf(pid)]),
  );
  const ours = new Set(
    system()
      .playing('media')
      .map(({ pid }) => pid),
  );
  const isOurs = (pid: number | undefined): boolean =>
    pid !== undefined && pid > 1 && (ours.has(pid) || isOurs(parents.get(pid)));
  return (
    [...parents.keys()]
      .filter((pid) => !ours.has(pid) && isOurs(pid))
      .map((pid) => ({ pid, command: commandOf(pid) }))
      // Extras go on: they may be those of another video.
      .filter(({ command }) => command.includes('libx264') && !command.includes('storyboard'))
  );
}

function parentOf(pid: string): number | undefined {
  try {
    return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

function kill(signal: NodeJS.Signals, running: readonly Running[]): void {
  for (const { pid } of running) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has already ended.
    }
  }
}

systemTest(
  'one user’s full queue delays no other user’s clip; an upload beyond the quota is 429; deleting a video stops its FFmpeg and makes room',
  async () => {
    const ids: string[] = [];
    for (let n = 0; n < MAX_PENDING; n++) ids.push((await sent(ann, slow)).data.id);
    const refused = await sent(ann, plain);
    expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([
      429,
      'too_many_pending_videos',
      '30',
    ]);

    await uploaded(system().api(), bob.token, plain);
    // One video for each worker may have been in work when Bob's arrived, and as many may have become ready since then.
    const waiting = (await mine(ann)).filter(({ status }) => status === 'processing');
    expect(waiting.length).toBeGreaterThanOrEqual(MAX_PENDING - 2 * system().playing('media').length);

    const running = await eventually(ffmpegs, {
      what: 'a video of Ann’s is transcoded',
      holds: ({ length }) => length > 0,
    });
    // A paused FFmpeg does not finish by itself.
    kill('SIGSTOP', running);
    for (const id of ids) expect((await remove(id)).status).toBe(204);
    await eventually(() => !ffmpegs().some(({ pid }) => running.some((each) => each.pid === pid)), {
      what: 'FFmpeg has been stopped',
      within: 20_000,
    });
    const again = await eventually(() => sent(ann, plain), {
      what: 'there is room again',
      within: 20_000,
      holds: ({ status }) => status !== 429,
    });
    await eventually(async () => (await mine(ann)).find(({ id }) => id === again.data.id), {
      what: 'the next video is ready',
      within: 30_000,
      holds: (video) => video?.status === 'ready',
    });
  },
  180_000,
);

systemTest(
  'a video whose FFmpeg is killed repeatedly fails, and its owner’s retry makes it ready',
  async () => {
    const { id } = (await sent(ann, slow)).data;
    const status = async (): Promise<string | undefined> => (await mine(ann)).find((video) => video.id === id)?.status;
    await eventually(
      () => {
        kill('SIGKILL', ffmpegs());
        return status();
      },
      { what: 'the video has failed', within: 90_000, every: 50, holds: (now) => now === 'failed' },
    );
    const { data } = await call<{ type: string; data: object }[]>(
      system().api(),
      'GET',
      `/api/v1/video/${id}/history`,
      { token: ann.token },
    );
    expect(data.at(-1)).toMatchObject({
      type: 'VideoProcessingFailed',
      data: { reason: expect.stringMatching(/fault on our side/) },
    });

    expect([(await retry(id, bob)).status, (await retry(id, ann)).status]).toEqual([404, 202]);
    await eventually(status, { what: 'the video is ready', within: 90_000, holds: (now) => now === 'ready' });
    const repeated = await retry(id, ann);
    expect([repeated.status, repeated.body.code, (await retry(id, bob)).status]).toEqual([409, 'not_failed', 403]);
  },
  240_000,
);

systemTest(
  'a small file that is too much work is refused with advice; the best recording of a phone is accepted',
  async () => {
    const { status, body } = await sent(bob, await clip('twenty8k60'));
    expect([status, body.code, body.message]).toEqual([
      422,
      'video_too_much_work',
      expect.stringMatching(/shorter.*smaller.*fewer frames/),
    ]);
    const accepted = await sent(bob, await clip('minute4k60'));
    expect([
      accepted.status,
      (await call(system().api(), 'DELETE', `/api/v1/video/${accepted.data.id}`, { token: bob.token })).status,
    ]).toEqual([202, 204]);
  },
  120_000,
);
