import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import type { ReadModels } from '../../projections/index.ts';
import { createQueryDatabase } from '../../src/postgres/queryDatabase.ts';
import { createApiContext, type ApiContextOptions } from '../../src/app/apiContext.ts';
import { openJobList } from '../../src/app/jobList.ts';
import type { EventStore } from '../../src/core/eventStore.ts';
import type { EventTypeDefinition, EventTypeDefinitions } from '../../src/core/eventTypes.ts';
import { fixedKeys, type KeyRing } from '../../src/core/keyRing.ts';
import { createNames, firstNameKey, type Names } from '../../src/core/names.ts';
import { createShownLog } from '../../src/core/shownLog.ts';
import { createFirstEventId } from '../../src/core/logId.ts';
import type { ApiContext, FeatureSettings } from '../../src/features/feature.ts';
import { apiRoutes, eventTypes, routeTags } from '../../src/features/index.ts';
import { discardedEvents } from '../../src/features/operators/index.ts';
import { createRevocations, type Revocations } from '../../src/features/sessions/index.ts';
import type { HttpAppOptions } from '../../src/http/httpApp.ts';
import { createAuthenticator } from '../../src/http/request/authenticator.ts';
import { plainSandbox } from '../../src/media/ffmpeg/sandbox.ts';
import { createInspector } from '../../src/media/inspecting/inspect.ts';
import { createScratch } from '../../src/media/scratch/scratch.ts';
import type { ParkedEvents } from '../../src/projecting/parking/createParkedEvents.ts';
import { createFolderObjectStore } from '../../src/objectStore/folderObjectStore.ts';
import type { ObjectStore } from '../../src/objectStore/objectStore.ts';
import { createSignedPaths } from '../../src/objectStore/signedPaths.ts';
import type { Consumer } from '../../src/projecting/consumer.ts';
import { createOperations } from '../../src/projecting/operations/operations.ts';
import { createWrittenRows } from '../../src/projecting/writtenRows.ts';
import { noRateLimits, type RateLimits } from '../../src/rateLimits/rateLimits.ts';
import type { UploadProgress } from '../../src/realtime/uploadProgress.ts';
import { testTools } from './clips.ts';
import { startTestApp, TEST_JWT_SECRET, type TestApp } from './httpApp.ts';
import { quiet } from './projecting.ts';

export interface TestApiOptions {
  readonly pool: pg.Pool;
  /** The context that the features get. */
  readonly store: EventStore;
  /** Both for a store that seals; otherwise `store` is as it is stored. */
  readonly rawStore?: EventStore;
  readonly codec?: ApiContext['codec'];
  /** What operators see; none by default. */
  readonly readModels?: readonly Consumer[];
  readonly progress: ApiContextOptions['progress'];
  /** With keys of their own by default. */
  readonly names?: Names;
  readonly deviceKeys?: KeyRing<Buffer>;
  readonly settings?: Partial<FeatureSettings>;
  readonly rateLimits?: RateLimits;
  readonly parked?: ParkedEvents;
  readonly http?: Partial<HttpAppOptions>;
  /** A folder of its own by default. */
  readonly objects?: ObjectStore;
}

/** Serves the routes of all features, composed as in the program, with parts that the test gives. */
export interface TestApi extends AsyncDisposable {
  readonly app: TestApp;
  readonly context: ApiContext;
  readonly revocations: Revocations;
  readonly uploadProgress: readonly UploadProgress[];
}

/** For a store without a codec: its events are of the newest version, and their metadata does not say so. */
export const unversionedTypes: EventTypeDefinitions = Object.fromEntries(
  Object.entries<EventTypeDefinition>(eventTypes).map(([type, definition]) => [
    type,
    {
      ...definition,
      upcasts: Array.from({ length: definition.version }, () => (data: Record<string, unknown>) => data),
    },
  ]),
);

const notProjecting = {} as ParkedEvents;

export async function startTestApi(options: TestApiOptions): Promise<TestApi> {
  const { pool, store, progress, rateLimits = noRateLimits } = options;
  const ownKey = randomBytes(32);
  await using parts = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'test-api-'));
  parts.defer(() => rm(folder, { recursive: true, force: true }));
  const scratch = await createScratch(join(folder, 'scratch'));
  parts.defer(() => scratch.close());
  const tools = await testTools();
  const uploadProgress: UploadProgress[] = [];
  const db = createQueryDatabase<ReadModels>(pool);
  const accessSeconds = 900;
  const revocations = createRevocations({ accessSeconds });
  const context = createApiContext({
    store,
    rawStore: options.rawStore ?? store,
    codec: options.codec ?? { decode: (events) => Promise.resolve([...events]) },
    log: createShownLog(store, unversionedTypes),
    db,
    objects: options.objects ?? (await createTestObjects(join(folder, 'objects'))),
    files: {
      scratch,
      inspect: createInspector({ ffprobe: tools.ffprobe.path }),
      ffmpeg: tools.ffmpeg.path,
      ffmpegVersion: tools.ffmpeg.version,
      sandbox: plainSandbox,
    },
    progress,
    parked: options.parked ?? notProjecting,
    written: createWrittenRows(),
    redis: undefined,
    rateLimits,
    revocations,
    operations: createOperations({
      pool,
      store,
      consumers: options.readModels ?? [],
      logId: createFirstEventId(store),
      discarded: discardedEvents(store),
      keepHours: 24,
    }),
    jobList: openJobList({ db, store }),
    system: () => Promise.reject(new Error('no program runs here')),
    reportProgress: (step) => void uploadProgress.push(step),
    settings: {
      production: false,
      adminEmails: [],
      firstUserIsAdmin: false,
      uploadWaitSeconds: 5,
      uploadQuota: { maxVideos: 100, maxBytes: 50e6 },
      mediaConcurrency: 1,
      ...options.settings,
    },
    tokens: {
      accessSecret: fixedKeys(TEST_JWT_SECRET),
      accessSeconds,
      refreshSecret: fixedKeys('only for refresh tests'),
      refreshSeconds: 3_600,
    },
    names: options.names ?? createNames((kind) => firstNameKey(ownKey, kind)),
    deviceKeys: options.deviceKeys ?? fixedKeys(ownKey),
    logger: quiet,
    onClose: (close) => parts.defer(close),
  });
  const app = await startTestApp({
    routes: apiRoutes(context),
    tags: routeTags,
    readModels: context.readModels,
    rateLimits,
    authenticator: createAuthenticator({ secret: fixedKeys(TEST_JWT_SECRET), isRevoked: revocations.isRevoked }),
    ...options.http,
  });
  parts.use(app);
  const opened = parts.move();
  return { app, context, revocations, uploadProgress, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** A folder store without a server of its files. */
export function createTestObjects(root: string): Promise<ObjectStore> {
  const signed = createSignedPaths({ secrets: () => ['test'] });
  return createFolderObjectStore({ root, publicUrl: 'http://localhost/media', signed });
}
