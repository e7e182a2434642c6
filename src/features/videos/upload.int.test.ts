import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { clip } from '../../../tests/support/clips.ts';
import { processed, startFeatures, type FeaturesTest, type FeatureUser } from '../../../tests/support/features.ts';
import type { Answer, Video, VideoPage } from '../../../tests/support/systemClient.ts';
import type { RecordedEvent } from '../../core/event.ts';
import { AppendRefused, EventStoreUnavailable } from '../../core/eventStore.ts';
import type { VideoCommand } from './decider.ts';
import type { VideoUploaded } from './events.ts';

let features: FeaturesTest;
let ann: FeatureUser;
beforeAll(async () => {
  features = await startFeatures({ uploadWaitMs: 10_000 });
  ann = await features.user('Ann');
});
afterAll(async () => features[Symbol.asyncDispose]());

const at = new Date().toISOString();
const done = processed('v');

async function upload(
  data: unknown,
  headers: Record<string, string> = {},
  to = features,
  token = ann.token,
): Promise<Answer<Video>> {
  const body = new FormData();
  body.set('video', new Blob([await readFile(await clip('plain'))]), 'clip.mp4');
  if (data !== undefined) body.set('data', typeof data === 'string' ? data : JSON.stringify(data));
  return to.call('POST', '/api/v1/video/upload', { token, body, headers });
}

/** The uploads after a position, as the store records them. */
async function* uploads(after: bigint, signal: AbortSignal): AsyncGenerator<RecordedEvent<VideoUploaded>> {
  for await (const { events } of features.projecting.store.subscribe({ after, types: ['VideoUploaded'], signal })) {
    yield* events as RecordedEvent<VideoUploaded>[];
  }
}

/** Does what the media worker would do: gives this command for each upload until `work` ends. */
async function processedAs<T>(command: VideoCommand, work: () => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const after = await features.projecting.store.head();
  const worker = (async () => {
    for await (const { data } of uploads(after, stop.signal)) await features.decide(data.videoId, command);
  })();
  try {
    return await work();
  } finally {
    stop.abort();
    await worker;
  }
}

const originals = async (): Promise<string[]> => {
  const keys: string[] = [];
  for await (const key of features.objects.list('originals/')) keys.push(key);
  return keys;
};

describe('an upload', () => {
  test('waits for processing, answers the video, and is in the next query', async () => {
    const { status, data, headers, position } = await processedAs(done, () =>
      upload({ title: ' Cat ', description: 'A cat' }),
    );
    expect([status, headers.get('location'), position! > 0n]).toEqual([201, `/api/v1/video/${data.id}`, true]);
    const [first] = (await features.call<Video[]>('GET', '/api/v1/video?limit=1')).data;
    expect(first).toEqual(data);
    expect(data).toMatchObject({
      title: 'Cat',
      description: 'A cat',
      status: 'ready',
      uploadedBy: ann.id,
      user: { name: 'Ann', username: 'ann' },
    });
    expect(data.url).toBe('http://localhost/media/videos/v/a.mp4');
    expect(await originals()).toContainEqual(expect.stringContaining(`originals/${data.id}/`));
  });

  test('needs no description', async () => {
    expect((await processedAs(done, () => upload({ title: 'Cat' }))).data).toMatchObject({
      description: '',
      status: 'ready',
    });
  });

  test('of a client that does not wait is answered while it is processed', async () => {
    for (const prefer of ['respond-async', 'wait=10, respond-async']) {
      const { status, data } = await upload({ title: 'Slow' }, { prefer });
      expect([status, data.status, data.url]).toEqual([202, 'processing', null]);
      const own = await features.call<VideoPage>('GET', `/api/v1/video/${data.id}`, { token: ann.token });
      expect(own.data.video).toEqual(data);
    }
  });

  test('that is not processed within the time that requests wait is answered while it is processed', async () => {
    await using impatient = await startFeatures({ uploadWaitMs: 200 });
    const { token } = await impatient.user('Bob');
    const { status, data } = await upload({ title: 'Slow' }, {}, impatient, token);
    expect([status, data.status, data.url]).toEqual([202, 'processing', null]);
  });

  test('that cannot be processed is refused with the reason', async () => {
    const reason = 'The picture stops halfway.';
    const { body } = await processedAs({ type: 'RecordProcessingFailure', reason, at }, () =>
      upload({ title: 'Broken' }),
    );
    expect(body).toMatchObject({ statusCode: 422, code: 'processing_failed', message: reason });
  });

  test('reports progress that rises', async () => {
    const { data } = await upload({ title: 'Watched' }, { prefer: 'respond-async' });
    const steps = features.uploadProgress.filter(({ videoId }) => videoId === data.id);
    expect(steps.map(({ progress }) => progress)).toEqual(
      steps.map(({ progress }) => progress).toSorted((a, b) => a - b),
    );
    expect(new Set(steps.map(({ stage, userId }) => `${stage} ${userId === ann.id}`))).toEqual(
      new Set(['receiving true', 'checking true', 'storing true']),
    );
  });

  test.each<[string, unknown, string]>([
    ['no data', undefined, 'title'],
    ['data that is not JSON', '{"title":', 'data'],
    ['data that is not an object', 'null', ''],
    ['no title', { description: 'x' }, 'title'],
    ['an empty title', { title: '  ' }, 'title'],
    ['a title that is too long', { title: 'x'.repeat(201) }, 'title'],
    ['a description that is too long', { title: 'x', description: 'x'.repeat(5_001) }, 'description'],
    ['a title of which nothing shows', { title: ' \u200b\u202e\0 ' }, 'title'],
    ['a title that cannot be stored', { title: 'half \ud800' }, 'title'],
  ])('with %s is refused, and nothing of it is kept', async (_, data, path) => {
    const before = await originals();
    const { status, body } = await upload(data);
    expect([status, body.errorMessages?.map((message) => message.path)]).toEqual([400, [path]]);
    expect(await originals()).toEqual(before);
  });
});

test.each<[unknown, string]>([
  [undefined, 'title is required'],
  ['{"title":', 'data must be JSON text'],
  ['null', 'The body must be an object'],
  [{ title: 7 }, 'title must be text'],
  [{ title: 'x', description: 'x'.repeat(5_001) }, 'description must have at most 5000 characters'],
])('the details %j of an upload are refused in plain words', async (data, message) => {
  expect((await upload(data)).body).toMatchObject({ code: 'validation_failed', message });
});

describe('an upload whose event cannot be recorded', () => {
  /** The next append to a video's stream fails. */
  async function whileAppendFails<T>(error: Error, work: () => Promise<T>): Promise<T> {
    const { store } = features.projecting;
    const { append } = store;
    store.append = (stream, ...rest) => (stream.startsWith('video-') ? Promise.reject(error) : append(stream, ...rest));
    try {
      return await work();
    } finally {
      store.append = append;
    }
  }

  test('leaves nothing in the object store', async () => {
    const before = await originals();
    const { status } = await whileAppendFails(new AppendRefused('no'), () => upload({ title: 'Never' }));
    expect([status, await originals()]).toEqual([500, before]);
  });

  test('leaves the file while it is not known whether the event is there', async () => {
    const before = await originals();
    const { status } = await whileAppendFails(new EventStoreUnavailable('timed out'), () =>
      upload({ title: 'Perhaps' }),
    );
    expect([status, (await originals()).length]).toEqual([503, before.length + 1]);
  });
});

describe('a retry under the same Idempotency-Key', () => {
  test('after a try whose answer was lost makes no second video', async () => {
    const headers = { 'idempotency-key': randomUUID(), prefer: 'respond-async' };
    const before = (await originals()).length;
    const first = await upload({ title: 'Once' }, headers);
    const second = await upload({ title: 'Once' }, headers);
    expect([first.status, second.status, second.data]).toEqual([202, 202, first.data]);
    expect(first.data.id[14]).toBe('7');
    expect((await originals()).length).toBe(before + 1);
    const other = await upload({ title: 'Once' }, { ...headers, 'idempotency-key': randomUUID() });
    expect(other.data.id).not.toBe(first.data.id);
  });
});
