import jwt from 'jsonwebtoken';
import { v7 } from 'uuid';
import type { CommandContext } from '../../src/core/commandContext.ts';
import type { RecordedEvent } from '../../src/core/event.ts';
import { nameHashOf, normalised } from '../../src/features/accounts/index.ts';
import { counted } from '../../src/features/analytics/index.ts';
import type { ApiContext } from '../../src/features/feature.ts';
import { readModelConsumers } from '../../src/features/index.ts';
import { discardedEvents } from '../../src/features/operators/index.ts';
import { handleVideoCommand } from '../../src/features/videos/commandRoutes.ts';
import type { VideoCommand } from '../../src/features/videos/decider.ts';
import type { Visibility } from '../../src/features/videos/events.ts';
import { createMediaProcessManager } from '../../src/features/videos/processing/mediaProcessManager.ts';
import type { UserRole } from '../../src/http/route.ts';
import type { ObjectStore } from '../../src/objectStore/objectStore.ts';
import type { Consumer } from '../../src/projecting/consumer.ts';
import { createParkedEvents } from '../../src/projecting/parking/createParkedEvents.ts';
import type { UploadProgress } from '../../src/realtime/uploadProgress.ts';
import { TEST_JWT_SECRET, type TestApp } from './httpApp.ts';
import { asIs, createProjectingTest, quiet, type ProjectingTest } from './projecting.ts';
import { call, type Answer, type CallOptions } from './systemClient.ts';
import { startTestApi } from './testApi.ts';

export interface FeatureUser {
  readonly id: string;
  readonly name: string;
  readonly username: string;
  readonly token: string;
}

/** All features behind real HTTP, on a real log and real read models; no encryption and no FFmpeg. */
export interface FeaturesTest extends AsyncDisposable {
  readonly projecting: ProjectingTest;
  readonly app: TestApp;
  readonly objects: ObjectStore;
  /** What the routes use. */
  readonly context: ApiContext;
  readonly uploadProgress: readonly UploadProgress[];
  call<Data = unknown>(method: string, path: string, options?: CallOptions): Promise<Answer<Data>>;
  user(name: string): Promise<FeatureUser>;
  /** A user whose token has the role `admin`. */
  admin(name: string): Promise<FeatureUser>;
  /** Records a video that was uploaded and processed. Resolves when the read models include it. Returns its id. */
  video(
    owner: FeatureUser,
    options?: { title?: string; until?: 'processing' | 'ready' | 'failed'; visibility?: Visibility },
  ): Promise<string>;
  /** Handles a command as the media worker does. Returns the position of its last event. */
  decide(videoId: string, command: VideoCommand): Promise<bigint>;
  /** Stops the projections, or starts them again. */
  project(on: boolean): Promise<void>;
  /** Waits until all read models and the count of pending uploads include the position. */
  reached(position: bigint): Promise<void>;
}

const facts = { duration: 1.5, width: 64, height: 48 };
/** The command of the media worker when a video has been processed. */
export const processed = (videoId: string): VideoCommand => ({
  type: 'RecordVideoProcessed',
  video: { key: `videos/${videoId}/a.mp4`, size: 10 },
  thumbnail: { key: `videos/${videoId}/b.jpg`, size: 1 },
  facts,
  at: new Date().toISOString(),
});

export interface FeaturesTestOptions {
  readonly uploadWaitMs?: number;
  readonly maxPending?: number;
  readonly viewRule?: typeof counted;
  /** Asked at each try: whether a consumer fails to apply an event. */
  readonly refuse?: (consumer: string, event: RecordedEvent) => boolean;
  /** A folder of its own by default. */
  readonly objects?: ObjectStore;
}

export async function startFeatures({
  uploadWaitMs = 5_000,
  maxPending = 100,
  viewRule = counted,
  refuse = () => false,
  objects: givenObjects,
}: FeaturesTestOptions = {}): Promise<FeaturesTest> {
  const projecting = await createProjectingTest();
  const { pool, store } = projecting;
  // Of the media pipeline, only the count of a user's pending uploads runs. Jobs are dropped.
  const jobs = { add: () => Promise.resolve(), cancel: () => Promise.resolve() };
  const readModels = readModelConsumers({ viewRule });
  const consumers = [...readModels, createMediaProcessManager({ jobs })].map((consumer): Consumer => ({
    ...consumer,
    async apply(events, transaction) {
      const refused = events.find((event) => refuse(consumer.name, event));
      if (refused !== undefined) throw new Error(`cannot apply ${refused.type}`);
      await consumer.apply(events, transaction);
    },
  }));
  let projector = await projecting.run(consumers);
  let isProjecting = true;
  const { progress } = projector;
  const api = await startTestApi({
    pool,
    store,
    readModels,
    progress,
    ...(givenObjects !== undefined && { objects: givenObjects }),
    parked: createParkedEvents({
      pool,
      store,
      decode: asIs,
      discarded: discardedEvents(store),
      consumers,
      logger: quiet,
    }),
    settings: { uploadWaitSeconds: uploadWaitMs / 1_000, uploadQuota: { maxVideos: maxPending, maxBytes: 50e6 } },
    // Nothing remembers answers, so a retry reaches the command itself.
    http: { idempotency: { fingerprint: ({ request }) => request.url!, once: (_attempt, run) => run() } },
  });
  const { app, uploadProgress } = api;
  const { objects } = api.context;
  const nameHash = nameHashOf(api.context);

  const context = (): CommandContext => ({ correlationId: 'test', now: new Date() });
  const decide = async (videoId: string, command: VideoCommand): Promise<bigint> =>
    (await handleVideoCommand(store, videoId, command, context())).position;
  const user = async (name: string, role: UserRole): Promise<FeatureUser> => {
    const user = { id: v7(), name, username: name.toLowerCase(), email: `${name}@example.com` };
    const at = new Date().toISOString();
    await projecting.append(`username-${nameHash('username', normalised(name))}`, {
      type: 'UsernameReserved',
      data: { userId: user.id, at },
    });
    await projecting.append(`user-${user.id}`, {
      type: 'UserRegistered',
      data: { ...user, userId: user.id, passwordHash: 'x', at },
    });
    return { ...user, token: jwt.sign({ ...user, role }, TEST_JWT_SECRET) };
  };
  const reached = async (position: bigint): Promise<void> => {
    await Promise.all(consumers.map(({ name }) => projector.reached(name, position)));
  };

  return {
    projecting,
    app,
    objects,
    context: api.context,
    uploadProgress,
    decide,
    reached,
    async call(method, path, options) {
      const answer = await call<never>(app.url, method, path, options);
      // A busy machine can be behind. The next query must not depend on that.
      if (isProjecting && answer.position !== undefined && answer.headers.has('x-projection-behind'))
        await reached(answer.position);
      return answer;
    },
    user: (name) => user(name, 'user'),
    admin: (name) => user(name, 'admin'),
    async video(owner, { title = 'A clip', until = 'ready', visibility = 'public' } = {}) {
      const videoId = v7();
      const original = { key: `originals/${videoId}/c.mp4`, size: 20 };
      const at = new Date().toISOString();
      let position = await decide(videoId, {
        type: 'UploadVideo',
        videoId,
        ownerId: owner.id,
        title,
        description: 'What it is',
        original,
        facts,
        visibility,
        at,
      });
      if (until === 'ready') position = await decide(videoId, processed(videoId));
      if (until === 'failed')
        position = await decide(videoId, { type: 'RecordProcessingFailure', reason: 'It is damaged.', at });
      await reached(position);
      return videoId;
    },
    async project(on) {
      isProjecting = on;
      if (!on) return projector.stop();
      projector = await projecting.run(consumers, { progress });
    },
    [Symbol.asyncDispose]: async () => {
      await api[Symbol.asyncDispose]();
      await projecting[Symbol.asyncDispose]();
    },
  };
}
