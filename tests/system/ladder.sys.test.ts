import { beforeAll, expect } from '@jest/globals';
import { createPool } from '../../src/postgres/pool.ts';
import { clip } from '../support/clips.ts';
import { eventually } from '../support/eventually.ts';
import { playedSeconds } from '../support/hlsPlayer.ts';
import { call, newPerson, uploaded, type Person, type Video } from '../support/systemClient.ts';
import { useSystem } from '../support/useSystem.ts';

const { system, systemTest } = useSystem({ ofEach: 1 });
let ann: Person;
let hd = '';
beforeAll(async () => {
  [ann, hd] = [await newPerson(system().api()), await clip('hd')];
}, 60_000);

const read = async (id: string): Promise<Video> =>
  (await call<{ video: Video }>(system().api(), 'GET', `/api/v1/video/${id}`, { token: ann.token })).data.video;

/** Uploads ten seconds in 720p, and waits for all that is made of it. */
async function complete(visibility: Video['visibility']): Promise<Video> {
  const { id } = await uploaded(system().api(), ann.token, hd, { title: visibility });
  if (visibility !== 'public') {
    const changed = await call(system().api(), 'PATCH', `/api/v1/video/${id}`, {
      token: ann.token,
      json: { visibility },
    });
    expect(changed.status).toBe(200);
  }
  return eventually(() => read(id), {
    what: 'the ladder, the storyboard and the preview are made',
    within: 60_000,
    holds: ({ url, hlsUrl, storyboardUrl, previewUrl }) =>
      Boolean(hlsUrl && storyboardUrl && previewUrl) && url!.includes('/private/') === (visibility === 'private'),
  });
}

const typeOf = async (url: string): Promise<string | null> => (await fetch(url)).headers.get('content-type');

systemTest(
  'the ladder of a public video is played over HTTP in every size, also by pages of other origins',
  async () => {
    const { hlsUrl, storyboardUrl, previewUrl } = await complete('public');
    for (const stream of ['0:v:0', '0:v:1', '0:v:2', '0:v:3', '0:a:0'])
      expect(await playedSeconds(hlsUrl!, stream)).toBeCloseTo(10, 0);
    expect(await typeOf(hlsUrl!)).toBe('application/vnd.apple.mpegurl');
    expect(await typeOf(storyboardUrl!)).toMatch(/^text\/vtt/);
    expect(await typeOf(previewUrl!)).toBe('video/mp4');

    const segments = new URL('240.mp4', hlsUrl!);
    const headers = { origin: 'https://player.example.org', range: 'bytes=0-99' };
    const part = await fetch(segments, { headers });
    expect([part.status, (await part.arrayBuffer()).byteLength, part.headers.get('content-type')]).toEqual([
      206,
      100,
      'video/mp4',
    ]);
    expect(part.headers.get('access-control-allow-origin')).toMatch(/^(\*|https:\/\/player\.example\.org)$/);
    const preflight = await fetch(segments, {
      method: 'OPTIONS',
      headers: {
        origin: headers.origin,
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'range',
      },
    });
    expect(preflight.ok).toBe(true);
    expect(preflight.headers.get('access-control-allow-headers')).toMatch(/range/i);

    const cue = /^(\S+\.jpg)#xywh=(.*)$/m.exec(await (await fetch(storyboardUrl!)).text())!;
    expect(cue[2]).toBe('0,0,160,90');
    expect(await typeOf(String(new URL(cue[1]!, storyboardUrl!)))).toBe('image/jpeg');
  },
  120_000,
);

systemTest(
  'the ladder of a private video is played by its signed URL, which every file of it needs',
  async () => {
    const { id, hlsUrl, storyboardUrl, previewUrl } = await complete('private');
    for (const stream of ['0:v:0', '0:v:3', '0:a:0']) expect(await playedSeconds(hlsUrl!, stream)).toBeCloseTo(10, 0);
    const picture = /^(\S+\.jpg)#/m.exec(await (await fetch(storyboardUrl!)).text())![1]!;
    expect((await fetch(new URL(picture, storyboardUrl!))).status).toBe(200);
    expect((await fetch(previewUrl!)).status).toBe(200);
    const unsigned = hlsUrl!.replace(/private\/[^/]+\//, 'private/');
    expect([403, 404]).toContain((await fetch(unsigned)).status);
    expect([403, 404]).toContain((await fetch(unsigned.replace('/private/', '/videos/'))).status);

    expect((await call(system().api(), 'DELETE', `/api/v1/video/${id}`, { token: ann.token })).status).toBe(204);
    await eventually(async () => (await fetch(hlsUrl!)).status === 404, {
      what: 'the ladder is removed',
      within: 30_000,
    });
  },
  120_000,
);

systemTest(
  'a video of an earlier version gets its ladder when an operator asks for it, who sees how it goes',
  async () => {
    const { id } = await withoutNewJobs('extras', async () =>
      uploaded(system().api(), ann.token, await clip('plain'), { title: 'From before' }),
    );
    expect((await read(id)).hlsUrl).toBeNull();
    const [anyProcess] = system().processes;
    const made = await anyProcess!.command('videos', 'make-extras', '--all');
    expect([made.code, made.output]).toEqual([0, '1 of 1 videos now have a ladder, a storyboard and a preview.\n']);
    expect(made.errors).toContain('100 % 1 of 1 videos\n');
    await eventually(() => read(id), {
      what: 'the video shows them',
      holds: ({ hlsUrl, storyboardUrl, previewUrl }) => Boolean(hlsUrl && storyboardUrl && previewUrl),
    });
    const again = await anyProcess!.command('videos', 'make-extras', id);
    expect([again.code, again.output]).toEqual([
      0,
      'Every one of these videos has a ladder, a storyboard and a preview.\n',
    ]);
  },
  120_000,
);

/** Drops the job that `work` leads to in a queue, as in a version that did not have the queue. */
async function withoutNewJobs<Result>(queue: string, work: () => Promise<Result>): Promise<Result> {
  const pool = createPool({ connectionString: await system().processes[0]!.databaseUrl(), name: 'test', max: 1 });
  await pool.query('create table public.dropped_jobs (id uuid)');
  await pool.query(
    `create function public.drop_job() returns trigger language plpgsql as $$
     begin insert into public.dropped_jobs values (new.id); return null; end $$`,
  );
  await pool.query(
    `create trigger drop_job before insert on reelstream_jobs.job for each row when (new.name = '${queue}')
     execute function public.drop_job()`,
  );
  try {
    const result = await work();
    await eventually(async () => (await pool.query('select from public.dropped_jobs')).rowCount, {
      what: 'its job is dropped',
      holds: (count) => count === 1,
    });
    return result;
  } finally {
    await pool.query('drop function public.drop_job cascade');
    await pool.query('drop table public.dropped_jobs');
    await pool.end();
  }
}
