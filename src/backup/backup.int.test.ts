import { mkdtemp, open, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../tests/support/database.ts';
import { fc } from '../../tests/support/property.ts';
import { inShell } from '../../tests/support/reelstream.ts';
import type { EventStore } from '../core/eventStore.ts';
import { all, someEvent, someEvents } from '../eventStore/contract/eventStoreContract.ts';
import { createPostgresEventStore } from '../eventStore/postgres/postgresEventStore.ts';
import { createFolderObjectStore, listFiles, openObject } from '../objectStore/folderObjectStore.ts';
import type { ObjectStore } from '../objectStore/objectStore.ts';
import { LOG, OBJECTS } from './format.ts';
import { openBackup, type CheckedBackup } from './readBackup.ts';
import { writeBackup, type BackedUpObjects } from './writeBackup.ts';

const { signal } = new AbortController();
const onProgress = (): void => undefined;

let folder: string;
let database: TestDatabase;
let store: EventStore;
let objects: ObjectStore;

beforeAll(async () => {
  database = await createTestDatabase();
  store = createPostgresEventStore({ pool: database.pool });
});
afterAll(async () => {
  await store.close();
  await database[Symbol.asyncDispose]();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backup-'));
  objects = await createFolderObjectStore({ root: root(), publicUrl: '', signed: { sign: (key) => key } });
});

afterEach(() => rm(folder, { recursive: true }));

const root = (): string => join(folder, 'objects');
const path = (): string => join(folder, 'backup.tar');
/** As long as the keys of a ladder. */
const keyOf = (video: string): string => `videos/${video}/hls-${'a'.repeat(64)}/1080-${'b'.repeat(20)}.mp4`;

/** What an upload does: first the object, then the event. */
async function uploads(video: string): Promise<void> {
  const file = join(folder, video);
  await writeFile(file, `the bytes of ${video}`.repeat(100));
  await objects.putFile(keyOf(video), file, '');
  await store.append(`video-${video}`, [someEvent('VideoUploaded', { text: 'ü' })], 'none');
}

/** What a deletion does: first the event, then the object. */
async function deletes(video: string): Promise<void> {
  await store.append(`video-${video}`, [someEvent('VideoDeleted')], 'any');
  await objects.remove([keyOf(video)]);
}

const stored: BackedUpObjects = { list: () => listFiles(root(), 'videos/'), open: (key) => openObject(root(), key) };

async function backUp(of: BackedUpObjects = stored): Promise<CheckedBackup> {
  await using file = await open(path(), 'w');
  await writeBackup({
    store,
    objects: of,
    concernsObjects: ({ stream }) => stream.startsWith('video-'),
    file,
    signal,
    onProgress,
  });
  return openBackup(path(), { signal, onProgress });
}

test('a backup holds the log event for event, and the objects byte for byte', async () => {
  const video = crypto.randomUUID();
  await uploads(video);
  await store.append('like-a_b', someEvents(1_500), 'any');
  await using backup = await backUp();
  const log = (await all(store.readAll({ after: 0n, hashes: true }))).flatMap(({ events }) => events);
  const parts = await all(backup.parts());
  const events = await Promise.all(parts.filter(({ name }) => name.startsWith(LOG)).map((part) => backup.events(part)));
  expect(events.flat()).toEqual(log);
  expect(backup.end).toMatchObject({ events: log.length, position: String(log.at(-1)!.position), objects: 1 });
  const object = parts.find(({ name }) => name === `${OBJECTS}${keyOf(video)}`)!;
  const content = Buffer.concat(await all<Buffer>(await toStream(backup.content(object))));
  expect(content).toEqual(await readFile(join(root(), keyOf(video))));
});

async function* toStream(chunks: AsyncIterable<Buffer> | readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks;
}

test('tar and sha256sum read it', async () => {
  await uploads(crypto.randomUUID());
  await using _ = await backUp();
  const { code, output } = await inShell(
    `mkdir ${folder}/x && cd ${folder}/x && tar xf ${path()} && sha256sum -c SHA256SUMS`,
  );
  expect([code, output]).toEqual([
    0,
    expect.stringMatching(/^backup.json: OK\nobjects\/videos\/.*: OK\nlog\/.*: OK\n$/s),
  ]);
});

test('the objects are those of the log, whatever is uploaded and deleted meanwhile', async () => {
  const moves = fc.array(fc.tuple(fc.nat({ max: 5 }), fc.constantFrom('upload', 'delete')), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(moves, moves, async (whileListed, whileOpened) => {
      const names = Array.from({ length: 6 }, () => crypto.randomUUID());
      const there = new Set<string>();
      const happen = async ([index, what]: readonly [number, string]): Promise<void> => {
        const video = names[index]!;
        if (what === 'upload' && !there.has(video)) {
          there.add(video);
          await uploads(video).catch(() => undefined);
        }
        if (what === 'delete' && there.delete(video)) await deletes(video);
      };
      await happen([0, 'upload']);
      const listed = [...whileListed];
      const opened = [...whileOpened];
      await using backup = await backUp({
        async *list() {
          const next = listed.shift();
          if (next !== undefined) await happen(next);
          yield* stored.list();
        },
        open: async (key) => {
          const next = opened.shift();
          if (next !== undefined) await happen(next);
          return stored.open(key);
        },
      });
      const parts = await all(backup.parts());
      const held = new Set(parts.map(({ name }) => name));
      const events = (
        await Promise.all(parts.filter(({ name }) => name.startsWith(LOG)).map((part) => backup.events(part)))
      ).flat();
      for (const video of names) {
        const types = events.filter(({ stream }) => stream === `video-${video}`).map(({ type }) => type);
        if (types.at(-1) === 'VideoUploaded') expect(held).toContain(`${OBJECTS}${keyOf(video)}`);
      }
    }),
    { numRuns: 12 },
  );
});

describe('a file is refused', () => {
  let bytes: Buffer;
  const opening = async (): Promise<string> =>
    openBackup(path(), { signal, onProgress }).then(
      async (backup) => {
        await backup[Symbol.asyncDispose]();
        return 'it was taken';
      },
      (error: Error) => `${error.name}: ${error.message}`,
    );
  beforeEach(async () => {
    await uploads(crypto.randomUUID());
    await (await backUp())[Symbol.asyncDispose]();
    bytes = await readFile(path());
  });

  test('that was cut anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: bytes.length - 1 }), async (length) => {
        await writeFile(path(), bytes);
        await truncate(path(), length);
        expect(await opening()).toMatch(/^StartError: .* is not a complete backup: /);
      }),
      { numRuns: 30 },
    );
  });

  test('in which any byte was changed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: bytes.length - 1 }), async (at) => {
        // Between the parts, and in unused parts of headers, zeros mean nothing.
        fc.pre(bytes[at] !== 0);
        const changed = Buffer.from(bytes);
        changed[at]! ^= 1;
        await writeFile(path(), changed);
        expect(await opening()).toMatch(/^StartError/);
      }),
      { numRuns: 60 },
    );
  });

  test('that is something else, with a sentence that says so', async () => {
    await writeFile(path(), 'no archive');
    expect(await opening()).toContain('it is no archive');
    await inShell(`cd ${folder} && tar cf backup.tar objects`);
    expect(await opening()).toContain('it is an archive of something else');
    await rm(path());
    expect(await opening()).toContain('cannot be read');
  });

  test('with the name of the part that is damaged', async () => {
    const changed = Buffer.from(bytes);
    changed.write('VideoForgotten', bytes.indexOf('VideoUploaded'));
    await writeFile(path(), changed);
    expect(await opening()).toMatch(/log\/\d+\.ndjson was changed or damaged/);
  });
});
