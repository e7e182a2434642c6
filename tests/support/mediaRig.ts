import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { pino } from 'pino';
import { v7 } from 'uuid';
import type { ReadModels } from '../../projections/index.ts';
import { handleCommand } from '../../src/core/commandHandler.ts';
import type { RecordedEvent } from '../../src/core/event.ts';
import type { EventStore } from '../../src/core/eventStore.ts';
import { createPostgresEventStore } from '../../src/eventStore/postgres/postgresEventStore.ts';
import type { ReelStreamEvent } from '../../src/features/index.ts';
import { createInspector } from '../../src/media/inspecting/inspect.ts';
import { storeOriginal } from '../../src/features/videos/processing/mediaKeys.ts';
import { createJobs, type Jobs, type JobsOptions } from '../../src/jobs/jobs.ts';
import { createMediaProcessManager } from '../../src/features/videos/processing/mediaProcessManager.ts';
import { videoQueues } from '../../src/features/videos/processing/index.ts';
import { createExtrasWorker } from '../../src/features/videos/processing/extrasWorker.ts';
import { createProcessWorker, type ProcessWorkerOptions } from '../../src/features/videos/processing/processWorker.ts';
import { createMoveFiles } from '../../src/features/videos/processing/moveFiles.ts';
import { createMoveWorkers } from '../../src/features/videos/processing/moveWorker.ts';
import { createRemoveWorker } from '../../src/features/videos/processing/removeWorker.ts';
import type { UploadProgress } from '../../src/realtime/uploadProgress.ts';
import { createScratch, type Scratch } from '../../src/media/scratch/scratch.ts';
import { createFolderObjectStore } from '../../src/objectStore/folderObjectStore.ts';
import { createSignedPaths } from '../../src/objectStore/signedPaths.ts';
import type { ObjectStore } from '../../src/objectStore/objectStore.ts';
import { inTransaction } from '../../src/projecting/transaction.ts';
import { videoDecider, videoStream } from '../../src/features/videos/decider.ts';
import type { Visibility } from '../../src/features/videos/events.ts';
import { createQueryDatabase } from '../../src/postgres/queryDatabase.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { testTools } from './clips.ts';
import { collectingLog } from './httpApp.ts';

/** The video pipeline with real parts, without HTTP and without the projection engine. */
export interface MediaRig extends AsyncDisposable {
  readonly folder: string;
  readonly database: TestDatabase;
  readonly db: Kysely<ReadModels>;
  readonly store: EventStore;
  readonly objects: ObjectStore;
  readonly scratch: Scratch;
  readonly jobs: Jobs;
  readonly progress: UploadProgress[];
  /** The lines that the queues and the workers have logged. */
  readonly logged: Readonly<Record<string, unknown>>[];
  /** Hands the last event of a video to the process manager, which adds jobs. */
  deliverLast(videoId: string): Promise<void>;
  workerOptions(changes?: Partial<ProcessWorkerOptions>): Promise<ProcessWorkerOptions>;
  /** Stores a file and appends the event of an upload. Returns the video's id. */
  upload(path: string, visibility?: Visibility): Promise<string>;
  /** Changes the visibility. */
  show(videoId: string, visibility: Visibility): Promise<void>;
  remove(videoId: string): Promise<void>;
  retry(videoId: string): Promise<void>;
  events(videoId: string): Promise<RecordedEvent<ReelStreamEvent>[]>;
  keys(videoId: string): Promise<string[]>;
}

export const silent = pino({ level: 'silent' });
const OWNER = v7();

export async function createMediaRig({ pollSeconds }: Pick<JobsOptions, 'pollSeconds'> = {}): Promise<MediaRig> {
  const database = await createTestDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'media-rig-'));
  const store = createPostgresEventStore({ pool: database.pool });
  const db = createQueryDatabase<ReadModels>(database.pool);
  const objects = await createFolderObjectStore({
    root: join(folder, 'objects'),
    publicUrl: 'http://localhost/media',
    signed: createSignedPaths({ secrets: () => ['test'] }),
  });
  const scratch = await createScratch(join(folder, 'scratch'));
  const { logger, lines: logged } = collectingLog();
  const jobs = createJobs({
    connectionString: database.url,
    logger,
    queues: videoQueues,
    ...(pollSeconds !== undefined && { pollSeconds }),
  });
  await jobs.start();
  const manager = createMediaProcessManager({ jobs });
  const progress: UploadProgress[] = [];
  const decide = (videoId: string, command: Parameters<typeof videoDecider.decide>[0]): Promise<unknown> =>
    handleCommand(store, videoDecider, videoStream(videoId), command, {
      correlationId: videoId,
      actor: OWNER,
      now: new Date(),
    });
  const events = async (videoId: string): Promise<RecordedEvent<ReelStreamEvent>[]> => {
    const all: RecordedEvent<ReelStreamEvent>[] = [];
    for await (const event of store.readStream(videoStream(videoId))) all.push(event as RecordedEvent<ReelStreamEvent>);
    return all;
  };
  const deliverLast = async (videoId: string): Promise<void> => {
    const last = (await events(videoId)).slice(-1);
    await inTransaction(database.pool, { schema: 'public' }, (transaction) => manager.apply(last, transaction));
  };

  return {
    folder,
    database,
    db,
    store,
    objects,
    scratch,
    jobs,
    progress,
    logged,
    events,
    deliverLast,
    workerOptions: async (changes) => {
      const { ffmpeg, ffprobe } = await testTools();
      return {
        store,
        objects,
        scratch,
        logger,
        ffmpeg: ffmpeg.path,
        inspect: createInspector({ ffprobe: ffprobe.path }),
        moveFiles: createMoveFiles({ store, objects, db }),
        reportProgress: (step) => void progress.push(step),
        ...changes,
      };
    },
    upload: async (path, visibility = 'public') => {
      const videoId = v7();
      const bytes = await readFile(path);
      const file = { path, size: (await stat(path)).size, sha256: createHash('sha256').update(bytes).digest('hex') };
      const original = await storeOriginal(objects, videoId, file);
      const facts = { duration: 1, width: 64, height: 48 };
      await decide(videoId, {
        type: 'UploadVideo',
        videoId,
        ownerId: OWNER,
        title: 'A clip',
        description: '',
        original,
        facts,
        visibility,
        at: new Date().toISOString(),
      });
      await deliverLast(videoId);
      return videoId;
    },
    show: async (videoId, visibility) => {
      await decide(videoId, { type: 'ChangeVideoDetails', userId: OWNER, visibility, at: new Date().toISOString() });
      await deliverLast(videoId);
    },
    remove: async (videoId) => {
      await decide(videoId, { type: 'DeleteVideo', userId: OWNER, at: new Date().toISOString() });
      await deliverLast(videoId);
    },
    retry: async (videoId) => {
      await decide(videoId, { type: 'RetryProcessing', by: { userId: OWNER }, at: new Date().toISOString() });
      await deliverLast(videoId);
    },
    keys: async (videoId) => {
      const keys: string[] = [];
      for (const prefix of [`originals/${videoId}/`, `videos/${videoId}/`, `private/${videoId}/`])
        for await (const key of objects.list(prefix)) keys.push(key);
      return keys;
    },
    [Symbol.asyncDispose]: async () => {
      await jobs.close();
      await store.close();
      await scratch.close();
      await database[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Runs the pipeline's jobs until the rig is disposed. */
export async function startWorker(rig: MediaRig, changes?: Partial<ProcessWorkerOptions>): Promise<void> {
  const options = await rig.workerOptions(changes);
  await rig.jobs.work([
    createProcessWorker(options),
    ...createMoveWorkers(options.moveFiles),
    createRemoveWorker(options),
  ]);
}

/** Makes ladders, storyboards and previews until the rig is disposed. */
export async function startExtrasWorker(rig: MediaRig, changes?: Partial<ProcessWorkerOptions>): Promise<void> {
  await rig.jobs.work([createExtrasWorker(await rig.workerOptions(changes))]);
}
