import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { clip } from '../support/clips.ts';
import { eventually } from '../support/eventually.ts';
import { call, getVideo, newPeople, setLike, upload, uploaded, type Me, type Person } from '../support/systemClient.ts';
import { openFaultyConnections, type FaultyEngine, type FaultyConnections } from '../support/systemFaults.ts';
import { profile } from '../support/system.ts';
import { metadata } from '../support/tusRig.ts';
import { useSystem } from '../support/useSystem.ts';

const PEOPLE = 12;

if (profile === 'cluster') describe('an engine that is unavailable for a while', outages);
else
  test.skip('an engine that is unavailable for a while: only in the cluster profile, since the embedded profile has no engines', () =>
    undefined);

function outages(): void {
  let faulty: FaultyConnections | undefined;
  const { system, systemTest } = useSystem({
    environment: async (engines) => {
      faulty = await openFaultyConnections(engines);
      return faulty.environment;
    },
  });
  let people: Person[] = [];
  let plain = '';

  beforeAll(async () => {
    plain = await clip('plain');
    people = await newPeople(PEOPLE, system().api);
  }, 60_000);
  afterAll(async () => {
    await faulty?.[Symbol.asyncDispose]();
  });

  async function duringOutage(engine: FaultyEngine, fault: 'cut' | 'hang', during: () => Promise<void>): Promise<void> {
    const connection = faulty!.connections[engine];
    connection[fault]();
    try {
      await during();
    } finally {
      // A restarted server has none of its old connections, and connections that hung may be in any state.
      connection.cut();
      connection.restore();
    }
  }

  for (const engine of ['redis', 'kafka', 'minio'] as const) {
    for (const fault of ['cut', 'hang'] as const) {
      systemTest(
        `${engine} ${fault === 'cut' ? 'unavailable' : 'hanging'}: likes are still accepted, and afterwards every API counts them`,
        async () => {
          const { id } = await uploaded(system().api(), people[0]!.token, plain);
          const { position } = await setLike(system().api(), id, people[0]!.token);
          for (const api of system().apis)
            expect((await getVideo(api, id, { after: position })).data.video.likeCount).toBe(1);
          await duringOutage(engine, fault, async () => {
            const answers = await Promise.all(people.slice(1).map(({ token }) => setLike(system().api(), id, token)));
            expect(answers.map(({ status, text }) => (status === 200 ? 200 : text))).toEqual(answers.map(() => 200));
            for (const { data } of answers) expect(data.likeCount).toBeGreaterThan(1);
            for (const api of system().apis) expect((await getVideo(api, id)).status).toBe(200);
          });
          for (const api of system().apis) {
            await eventually(async () => (await getVideo(api, id)).data.video.likeCount, {
              within: 60_000,
              what: `${api} counts every like`,
              holds: (count) => count === PEOPLE,
            });
          }
        },
        120_000,
      );
    }
  }

  systemTest(
    'MinIO unavailable: an upload is 503 and leaves nothing behind; afterwards uploads work again',
    async () => {
      const [person] = people as [Person];
      const title = 'during the outage';
      await duringOutage('minio', 'cut', async () => {
        const refused = await upload(system().api(), person.token, plain, { title });
        expect([refused.status, refused.body.code]).toEqual([503, 'object_store_unavailable']);
      });
      const { position } = await eventually(
        () => upload(system().api(), person.token, plain, { title: 'afterwards' }),
        { within: 30_000, what: 'uploads work again', holds: ({ status }) => status === 201 },
      );
      const me = await call<Me>(system().api(), 'GET', '/api/v1/auth/me', { token: person.token, after: position });
      const titles = me.data.videos.map((video) => video.title);
      expect(titles).toContain('afterwards');
      expect(titles).not.toContain(title);
    },
    120_000,
  );

  for (const fault of ['cut', 'hang'] as const) {
    systemTest(
      `MinIO ${fault === 'cut' ? 'unavailable' : 'hanging'}: a resumable upload is refused meanwhile, and goes on afterwards`,
      async () => {
        const { token } = people[0]!;
        const file = await readFile(plain);
        const send = (method: string, path: string, headers: Record<string, string>, body?: Buffer) =>
          call(system().api(), method, path, {
            token,
            headers: { 'tus-resumable': '1.0.0', ...headers },
            ...(body && { body: new Uint8Array(body) }),
          });
        const begun = await send('POST', '/api/v1/uploads', {
          'upload-length': String(file.length),
          'upload-metadata': metadata({ title: 'Resumed' }),
        });
        const path = begun.headers.get('location')!;
        const append = (offset: number, end?: number) => {
          const headers = { 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream' };
          return send('PATCH', path, headers, file.subarray(offset, end));
        };
        expect((await append(0, 10_000)).status).toBe(204);
        await duringOutage('minio', fault, async () => {
          const refused = await append(10_000);
          expect([refused.status, refused.body.code]).toEqual([503, 'object_store_unavailable']);
          expect(refused.headers.has('retry-after')).toBe(true);
        });
        const finished = await eventually(() => append(10_000), {
          within: 30_000,
          what: 'the upload goes on',
          holds: ({ status }) => status === 204,
        });
        expect(finished.headers.get('upload-video')).toBeTruthy();
      },
      120_000,
    );

    systemTest(
      `PostgreSQL ${fault === 'cut' ? 'unavailable' : 'hanging'}: only recorded likes are acknowledged, and afterwards everything works again by itself`,
      async () => {
        const { id } = await uploaded(system().api(), people[0]!.token, plain);
        const acknowledged = new Set<string>();
        const like = async (person: Person): Promise<number> => {
          const { status } = await setLike(system().api(), id, person.token);
          if (status === 200) acknowledged.add(person.id);
          return status;
        };
        expect(await like(people[0]!)).toBe(200);
        const [early, late] = [people.slice(1, 6), people.slice(6)];
        const earlyStatuses = Promise.all(early.map(like));
        await duringOutage('postgres', fault, async () => {
          const statuses = [...(await earlyStatuses), ...(await Promise.all(late.map(like)))];
          for (const status of statuses) expect([200, 503]).toContain(status);
          expect(statuses).toContain(503);
        });
        const counted = async (): Promise<{ counts: number[]; likers: string[] }> => ({
          counts: await Promise.all(system().apis.map(async (api) => (await getVideo(api, id)).data.video.likeCount)),
          likers: (
            await Promise.all(
              people.map(async (person) =>
                (await getVideo(system().api(), id, { token: person.token })).data.isLiked ? [person.id] : [],
              ),
            )
          ).flat(),
        });
        await eventually(counted, {
          within: 30_000,
          what: 'the counts equal the likers, and no acknowledged like is missing',
          holds: ({ counts, likers }) =>
            counts.every((count) => count === likers.length) &&
            [...acknowledged].every((liker) => likers.includes(liker)),
        });
        for (const person of people)
          await eventually(() => like(person), {
            within: 30_000,
            what: 'likes are accepted again',
            holds: (status) => status === 200,
          });
        await eventually(counted, {
          within: 30_000,
          what: 'every like is counted',
          holds: ({ counts }) => counts.every((count) => count === PEOPLE),
        });
      },
      150_000,
    );
  }
}
