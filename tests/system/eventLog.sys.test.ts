import { beforeAll, describe, expect } from '@jest/globals';
import type { LogEvent } from '../../src/realtime/logEvent.ts';
import { clip } from '../support/clips.ts';
import { eventually } from '../support/eventually.ts';
import { followFeed } from '../support/feedFollower.ts';
import { outcomeOf, type Ended } from '../support/reelstream.ts';
import {
  call,
  getVideo,
  newPerson,
  setLike,
  someone,
  uploaded,
  type Account,
  type Answer,
  type Person,
} from '../support/systemClient.ts';
import { useSystem } from '../support/useSystem.ts';

const ADMIN = { ...someone(), email: 'root@example.com' };
const { system, systemTest } = useSystem({ environment: { ADMIN_EMAILS: ADMIN.email } });

let adminToken: string;
let person: Person;
let videoId: string;
/** Position of the newest event that the tests look at. */
let last: string;

beforeAll(async () => {
  const api = system().api();
  await call<Account>(api, 'POST', '/api/v1/auth/register', { json: ADMIN });
  const json = { email: ADMIN.email, password: ADMIN.password };
  ({ accessToken: adminToken } = (
    await call<{ accessToken: string }>(api, 'POST', '/api/v1/auth/login', { json })
  ).data);
  person = await newPerson(api);
  videoId = (await uploaded(api, person.token, await clip('plain'))).id;
  await getVideo(api, videoId);
  await getVideo(api, videoId, { token: person.token });
  last = String((await setLike(api, videoId, person.token)).position);
  // Views are recorded in the background.
  await eventually(async () => (await allPages('category=views')).length, {
    what: 'both views are recorded',
    holds: (views) => views >= 2,
  });
}, 180_000);

/** The events of all pages of `GET /api/v1/admin/events`. */
async function allPages(query: string): Promise<LogEvent[]> {
  const found: LogEvent[] = [];
  for (let after: string | null = '0'; after !== null;) {
    const path: string = `/api/v1/admin/events?${query}&after=${after}`;
    const page: Answer<LogEvent[]> = await call(system().api(), 'GET', path, { token: adminToken });
    expect(page.status).toBe(200);
    found.push(...page.data);
    after = (page.body.meta as unknown as { nextAfter: string | null }).nextAfter;
  }
  return found;
}

/** Runs `reelstream events <words>` beside the system. Stops it with SIGINT when its output contains a text. */
async function events(words: string, until?: string): Promise<Ended> {
  const child = system()
    .playing('api')[0]!
    .startCommand('events', ...words.split(' '));
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (until !== undefined && output.includes(until)) child.kill('SIGINT');
  });
  return outcomeOf(child);
}

/** Of anybody. The text must be about the events of the person, or it would prove nothing. */
function expectNothingPersonal(text: string, about = person.id): void {
  expect(text).toContain(about);
  for (const { name, username, email, password } of [person, ADMIN])
    for (const secret of [name, username, email, password])
      expect(text.toLowerCase()).not.toContain(secret.toLowerCase());
  // Hashes of passwords, sealed fields, and hashes of addresses.
  expect(text).not.toMatch(/argon2|"v1\.|addr:|127\.0\.0\.1|::1/);
}

describe('personal data never shows', () => {
  systemTest('in an answer about the log, whatever is asked', async () => {
    const stream = `user-${person.id}`;
    const all = await allPages('limit=1000');
    const registered = all.find((event) => event.stream === stream)!;
    expect(registered).toMatchObject({ type: 'UserRegistered', data: { userId: person.id, email: 'left out' } });
    for (const query of [
      'limit=2',
      `stream=${stream}`,
      'category=user',
      'type=UserRegistered',
      `correlationId=${registered.metadata.correlationId}`,
      `since=${registered.time}`,
    ])
      expectNothingPersonal(JSON.stringify(await allPages(query)));
    // The media worker may have recorded more since.
    expect((await allPages('limit=2')).slice(0, all.length)).toEqual(all);
  });

  systemTest('in the history of a video', async () => {
    const history = async (token: string): Promise<string> =>
      (await call(system().api(), 'GET', `/api/v1/video/${videoId}/history`, { token })).text;
    for (const token of [person.token, adminToken]) {
      const text = await history(token);
      expectNothingPersonal(text, 'VideoProcessed');
      expect(text).not.toContain('originals/');
    }
  });

  systemTest('in the topic log, on both ports', async () => {
    for (const url of [system().apis[0]!, system().sockets.at(-1)!]) {
      const { socket, heard } = followFeed(url, { topics: ['log'], since: '0', auth: { token: adminToken } });
      try {
        await eventually(() => heard.some(({ position }) => position === last), { what: 'all events are heard' });
        expect(heard.map(({ type }) => type)).toEqual(expect.arrayContaining(['UserRegistered', 'SessionStarted']));
        expectNothingPersonal(JSON.stringify(heard));
      } finally {
        socket.disconnect();
      }
    }
  });

  systemTest(
    'in what the command line prints, beside the running system',
    async () => {
      const stream = `user-${person.id}`;
      const printed = [
        await events('export'),
        await events('export --type UserRegistered'),
        await events(`read ${stream}`),
        await events(`read ${stream} --json`),
      ];
      const followed = [
        await events('tail --from beginning', 'VideoLiked'),
        await events('tail --from beginning --json', 'VideoLiked'),
      ];
      expect([...printed, ...followed].map(({ code }) => code)).toEqual([0, 0, 0, 0, 130, 130]);
      for (const { output, errors } of [...printed, ...followed]) expectNothingPersonal(`${output}${errors}`);
    },
    120_000,
  );
});

systemTest('HTTP, sockets and the command line show the same events', async () => {
  const upTo = (found: readonly { readonly position: string }[]): unknown[] =>
    found.slice(0, found.findIndex(({ position }) => position === last) + 1);
  const overHttp = upTo(await allPages('limit=1000'));
  const exported = upTo(
    (await events('export')).output
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as LogEvent),
  );
  const { socket, heard } = followFeed(system().api(), { topics: ['log'], since: '0', auth: { token: adminToken } });
  await eventually(() => heard.some(({ position }) => position === last), { what: 'all events are heard' });
  socket.disconnect();
  expect(overHttp.length).toBeGreaterThan(8);
  expect(exported).toEqual(overHttp);
  expect(upTo(heard)).toEqual(overHttp);
});
