// A media worker as a process of its own, for tests that kill it. Arguments: database URL, folder of the rig, `alone` (optional).
import { join } from 'node:path';
import { pino } from 'pino';
import type { ReadModels } from '../../projections/index.ts';
import { createPostgresEventStore } from '../../src/eventStore/postgres/postgresEventStore.ts';
import { createInspector } from '../../src/media/inspecting/inspect.ts';
import { createJobs } from '../../src/jobs/jobs.ts';
import { videoQueues } from '../../src/features/videos/processing/index.ts';
import { createProcessWorker } from '../../src/features/videos/processing/processWorker.ts';
import { createMoveFiles } from '../../src/features/videos/processing/moveFiles.ts';
import { createScratch } from '../../src/media/scratch/scratch.ts';
import { createFolderObjectStore } from '../../src/objectStore/folderObjectStore.ts';
import { createSignedPaths } from '../../src/objectStore/signedPaths.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { createQueryDatabase } from '../../src/postgres/queryDatabase.ts';
import { testTools } from './clips.ts';

const [, , url = '', folder = '', alone] = process.argv;
const { ffmpeg, ffprobe } = await testTools();
const pool = createPool({ connectionString: url, name: 'worker process' });
const store = createPostgresEventStore({ pool });
const objects = await createFolderObjectStore({
  root: join(folder, 'objects'),
  publicUrl: 'http://localhost/media',
  signed: createSignedPaths({ secrets: () => ['test'] }),
});
const db = createQueryDatabase<ReadModels>(pool);
const scratch = await createScratch(join(folder, 'scratch'));
const logger = pino({ level: 'silent' });
const jobs = createJobs({ connectionString: url, logger, queues: videoQueues, alone: alone === 'alone' });
await jobs.start();
await jobs.work([
  createProcessWorker({
    store,
    objects,
    scratch,
    logger,
    ffmpeg: ffmpeg.path,
    moveFiles: createMoveFiles({ store, objects, db }),
    inspect: createInspector({ ffprobe: ffprobe.path }),
    reportProgress: ({ videoId, progress }) => void process.stdout.write(`${videoId} ${progress}\n`),
  }),
]);
process.stdout.write('ready\n');
process.once('SIGTERM', () => {
  void (async () => {
    await jobs.close();
    await store.close();
    await scratch.close();
    await pool.end();
  })();
});
