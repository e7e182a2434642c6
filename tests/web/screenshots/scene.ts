import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import type { NewEvent } from '../../../src/core/event.ts';
import { createPostgresEventStore } from '../../../src/eventStore/postgres/postgresEventStore.ts';
import { eventTypes } from '../../../src/features/index.ts';
import { findEmbeddedPostgres } from '../../../src/postgres/embeddedPostgres.ts';
import { createPool } from '../../../src/postgres/pool.ts';
import type { Instance } from '../../support/instance.ts';
import { call, newPerson, upload, uploaded, type Person, type Video } from '../../support/systemClient.ts';
import { damagedClip } from '../support/damagedClip.ts';
import { drawClip, looks } from './looks.ts';

/** Who the pictures are of. */
export interface People {
  /** An administrator. */
  readonly operator: Person;
  /** Whose videos they are, but for the first one. */
  readonly author: Person;
  readonly guest: Person;
}

/** What the pictures show. */
export interface Scene extends People {
  readonly videos: readonly Video[];
}

const DAYS = 30;
const DAY_MS = 24 * 60 * 60_000;
const CROWD = 24;

export async function registerPeople({ url }: Instance): Promise<People> {
  // The first account becomes the administrator.
  const operator = await newPerson(url, { name: 'Grace Hopper', username: 'grace', email: 'grace@example.org' });
  const author = await newPerson(url, { name: 'Ada Lovelace', username: 'ada', email: 'ada@example.org' });
  const guest = await newPerson(url, { name: 'Maurits Escher', username: 'maurits', email: 'maurits@example.org' });
  return { operator, author, guest };
}

/** Uploads clips of several looks, and lets a month of views and likes happen. */
export async function makeScene(server: Instance, people: People): Promise<Scene> {
  const { url } = server;
  const { operator, author, guest } = people;
  const videos: Video[] = [];
  for (const [index, look] of looks.entries()) {
    const { token } = index === 0 ? guest : author;
    videos.push(await uploaded(url, token, await drawClip(look, index), look));
  }
  await appendHistory(server, videos);
  await call(url, 'PUT', `/api/v1/video/${videos.at(-1)!.id}/like`, { token: operator.token });
  await failOne(url, author);
  await moderate(url, people, videos);
  return { ...people, videos };
}

/** Uploads a video that cannot be processed, so that there is a job with an error. */
async function failOne(url: string, { token }: Person): Promise<void> {
  const path = await damagedClip();
  try {
    await upload(url, token, path, { title: 'Cut short', description: 'The camera ran out of battery.' });
  } finally {
    await rm(path);
  }
}

/** Two videos are reported, and one of them is hidden. */
async function moderate(url: string, { operator, author, guest }: People, videos: readonly Video[]): Promise<void> {
  const [carpet, , colours] = videos as [Video, Video, Video];
  const report = (video: Video, { token }: Person, json: object): Promise<unknown> =>
    call(url, 'POST', `/api/v1/video/${video.id}/reports`, { token, json });
  await report(carpet, author, { reason: 'spam', text: 'The same clip was here last week, under another name.' });
  await report(carpet, operator, { reason: 'other', text: '' });
  const reason = 'It is a copy of an earlier video. Tell us if you made it yourself.';
  await call(url, 'POST', `/api/v1/admin/videos/${carpet.id}/hide`, { token: operator.token, json: { reason } });
  await report(colours, guest, { reason: 'copyright', text: 'These four colours are from a print of mine.' });
}

/** Writes the views and likes of the last days to the log, as they would have been recorded then. */
async function appendHistory({ dataDir }: Instance, videos: readonly Video[]): Promise<void> {
  const pool = createPool({ connectionString: (await findEmbeddedPostgres(dataDir))!, name: 'screenshots', max: 2 });
  const store = createPostgresEventStore({ pool });
  const chance = chanceFrom(42);
  const crowd = Array.from({ length: CROWD }, () => randomUUID());
  try {
    await store.appendMany(
      videos.flatMap((video, index) => [
        ...Array.from({ length: DAYS }, (_, day) => viewsOf(video, day, 4 + index * 3, crowd, chance)),
        ...crowd.filter(() => chance() < 0.3 + index * 0.12).map((userId) => likeOf(video, userId, chance)),
      ]),
    );
  } finally {
    await store.close();
    await pool.end();
  }
}

interface Append {
  readonly stream: string;
  readonly events: readonly NewEvent[];
  readonly expected: 'none' | 'any';
}

/** More each week, and most on Saturdays and Sundays. */
function viewsOf(video: Video, daysAgo: number, often: number, crowd: readonly string[], chance: () => number): Append {
  const day = new Date(Date.now() - daysAgo * DAY_MS);
  const weekend = [0, 6].includes(day.getUTCDay()) ? 1.8 : 1;
  const count = Math.round(often * weekend * (0.5 + chance()) * (1 - daysAgo / (DAYS * 1.4))) + 1;
  const events = Array.from({ length: count }, () => {
    const viewer = `user:${crowd[Math.floor(chance() * crowd.length)]}`;
    return event('VideoViewed', { videoId: video.id, ownerId: video.uploadedBy, viewer, at: atSomeTime(day, chance) });
  });
  return { stream: `views-${video.id}_${day.toISOString().slice(0, 10)}`, events, expected: 'any' };
}

function likeOf(video: Video, userId: string, chance: () => number): Append {
  const day = new Date(Date.now() - Math.floor(chance() ** 2 * DAYS) * DAY_MS);
  const data = { videoId: video.id, userId, ownerId: video.uploadedBy, at: atSomeTime(day, chance) };
  return { stream: `like-${video.id}_${userId}`, events: [event('VideoLiked', data)], expected: 'none' };
}

function event(type: 'VideoViewed' | 'VideoLiked', data: Record<string, unknown>): NewEvent {
  const schemaVersion = eventTypes[type]!.version;
  return { id: randomUUID(), type, data, metadata: { correlationId: randomUUID(), schemaVersion } };
}

/** On that day, and not in the future. */
function atSomeTime(day: Date, chance: () => number): string {
  const midnight = Date.parse(`${day.toISOString().slice(0, 10)}T00:00:00Z`);
  return new Date(midnight + chance() * Math.min(DAY_MS - 1, Date.now() - midnight)).toISOString();
}

/** The same numbers at each run, so that the pictures change only when the page does (mulberry32). */
function chanceFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
