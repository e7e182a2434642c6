import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect } from '@jest/globals';
import { clip } from '../support/clips.ts';
import { describeWith } from '../support/describeWith.ts';
import { eventually } from '../support/eventually.ts';
import {
  call,
  getVideo,
  newPeople,
  upload,
  uploaded,
  type Analytics,
  type Person,
  type Video,
} from '../support/systemClient.ts';
import { PersistentClient, type Outcome } from '../support/systemLoad.ts';
import { useSystem } from '../support/useSystem.ts';

const run = promisify(execFile);
const PEOPLE = 12;
const VIDEOS = 4;

/** Number of commands that must be answered while an engine is unavailable. */
const MEANWHILE = 60;

interface Fault {
  readonly engine: 'kafka' | 'redis' | 'minio' | 'postgres';
  readonly fault: 'killed' | 'hanging';
}

const faults: readonly Fault[] = [
  { engine: 'kafka', fault: 'killed' },
  { engine: 'redis', fault: 'killed' },
  { engine: 'minio', fault: 'killed' },
  { engine: 'kafka', fault: 'hanging' },
  { engine: 'redis', fault: 'hanging' },
  { engine: 'minio', fault: 'hanging' },
  // It holds the log, so nothing can be accepted without it.
  { engine: 'postgres', fault: 'killed' },
];

/**
 * ENGINE_KILLS names a folder with the commands `kill ENGINE [SIGNAL]` and `up ENGINE`. No other tests can run on these
 * engines at the same time.
 */
describeWith('ENGINE_KILLS', 'real engines, killed or made to hang under load', (commands) => {
  const { system, systemTest } = useSystem();
  let people: Person[] = [];
  let videos: Video[] = [];
  let plain = '';

  beforeAll(async () => {
    plain = await clip('plain');
    people = await newPeople(PEOPLE, system().api);
    videos = [];
    for (let index = 0; index < VIDEOS; index += 1)
      videos.push(await uploaded(system().api(), people[0]!.token, plain));
  }, 120_000);

  const engine = (command: 'kill' | 'up', ...args: string[]): Promise<unknown> => run(join(commands, command), args);

  async function whileAway({ engine: name, fault }: Fault, during: () => Promise<void>): Promise<void> {
    await engine('kill', name, fault === 'killed' ? 'KILL' : 'STOP');
    try {
      await during();
    } finally {
      await (fault === 'killed' ? engine('up', name) : engine('kill', name, 'CONT'));
    }
  }

  for (const fault of faults) {
    systemTest(
      `${fault.engine} ${fault.fault}: ${fault.engine === 'postgres' ? 'only recorded likes are acknowledged' : 'every like is accepted'}, and afterwards everything works again by itself`,
      async () => {
        const load = likeOnAndOn();
        await load.answered(MEANWHILE);
        await whileAway(fault, () => load.answered(MEANWHILE));
        await load.answered(MEANWHILE);
        const { outcomes, likes } = await load.end();

        const refused = outcomes.filter((outcome) => outcome.kind !== 'answered' || outcome.status !== 200);
        const unavailable = { kind: 'answered', status: 503 };
        expect(refused).toEqual(fault.engine === 'postgres' ? refused.map(() => unavailable) : []);
        if (fault.engine === 'postgres') expect(refused).not.toEqual([]);
        for (const video of videos) await countsEqualLikers(video.id, likes);
        await eventually(async () => [(await analytics()).totalLikes, await allLikes()], {
          within: 60_000,
          what: 'the analytics show the same number of likes',
          holds: ([analysed, counted]) => analysed === counted,
        });
        await eventually(async () => (await upload(system().api(), people[0]!.token, plain)).status, {
          within: 60_000,
          what: 'uploads are accepted and processed',
          holds: (status) => status === 201,
        });
      },
      240_000,
    );
  }

  /** Each person likes and unlikes one video after the other, over every API in turn, until the load is stopped. */
  function likeOnAndOn(): {
    answered(count: number): Promise<void>;
    end(): Promise<{ outcomes: Outcome[]; likes: Likes }>;
  } {
    const outcomes: Outcome[] = [];
    const likes: Likes = new Map();
    let over = false;
    const running = people.map(async (person, number) => {
      const client = new PersistentClient();
      for (let turn = number; !over; turn += 1) {
        const video = videos[turn % VIDEOS]!;
        const liked = Math.floor(turn / VIDEOS) % 2 === 0;
        const base = system().apis[(number + turn) % system().apis.length]!;
        const outcome = await client.send(base, liked ? 'PUT' : 'DELETE', `/api/v1/video/${video.id}/like`, {
          authorization: `Bearer ${person.token}`,
        });
        outcomes.push(outcome);
        const acknowledged = outcome.kind === 'answered' && outcome.status === 200;
        likes.set(`${video.id} ${person.id}`, acknowledged ? liked : undefined);
      }
      client.close();
    });
    return {
      async answered(count) {
        const before = outcomes.length;
        await eventually(() => outcomes.length >= before + count, {
          within: 90_000,
          what: `${count} more likes are answered`,
        });
      },
      async end() {
        over = true;
        await Promise.all(running);
        return { outcomes, likes };
      },
    };
  }

  async function countsEqualLikers(videoId: string, likes: Likes): Promise<void> {
    await eventually(
      async () => {
        const counts = await Promise.all(
          system().apis.map(async (api) => (await getVideo(api, videoId)).data.video.likeCount),
        );
        const liked = await Promise.all(
          people.map(async ({ token }) => (await getVideo(system().api(), videoId, { token })).data.isLiked),
        );
        const otherwise = people.filter(
          ({ id }, index) => (likes.get(`${videoId} ${id}`) ?? liked[index]) !== liked[index],
        ).length;
        return { counts, likers: liked.filter(Boolean).length, otherwise };
      },
      {
        within: 60_000,
        what: 'the counts equal the likers, and each like is in its last acknowledged state',
        // Read models that are equally far behind agree with each other too.
        holds: ({ counts, likers, otherwise }) => otherwise === 0 && counts.every((count) => count === likers),
      },
    );
  }

  async function allLikes(): Promise<number> {
    const counts = await Promise.all(
      videos.map(async ({ id }) => (await getVideo(system().api(), id)).data.video.likeCount),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async function analytics(): Promise<Analytics> {
    const day = new Date().toISOString().slice(0, 10);
    return (
      await call<Analytics>(system().api(), 'GET', `/api/v1/analytics?startDate=2025-01-01&endDate=${day}`, {
        token: people[0]!.token,
      })
    ).data;
  }
});

/** The last acknowledged state of each pair of video and person; undefined after an answer that does not tell. */
type Likes = Map<string, boolean | undefined>;
