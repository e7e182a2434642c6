import type { Logger } from 'pino';
import type { EventStore } from '../../../core/eventStore.ts';
import type { ObjectStore } from '../../../objectStore/objectStore.ts';
import { createFailureLog } from '../../../telemetry/failureLog.ts';
import { videoStream } from '../decider.ts';
import { findBucketOwner, type BucketOwnerOptions } from './bucketOwner.ts';

export interface OrphanSweepOptions extends BucketOwnerOptions {
  readonly objects: Pick<ObjectStore, 'list' | 'putFile' | 'remove'>;
  readonly store: Pick<EventStore, 'readStream'>;
  readonly logger: Logger;
}

/** Removes orphans: originals that no event names, because the upload ended between storing its file and recording it. */
export interface OrphanSweep {
  /**
   * Removes the files that were orphans at the last look and still are, so that an upload between its two steps keeps its
   * file. Removes nothing when another system uses the same store: our log does not name its files.
   */
  look(): Promise<void>;
  /** Looks now and then every hour, until it is closed. */
  start(): void;
  close(): void;
}

const EVERY_MS = 60 * 60_000;
/** Video ids begin with their time in milliseconds (uuid v7): six hex digits name 4.7 hours, and make a prefix to list. */
const BUCKET_MS = 2 ** 24;
/** The first look goes back a week, later ones half a day. */
const [FIRST_BUCKETS, LATER_BUCKETS] = [36, 3];

export function createOrphanSweep({ objects, store, scratch, logId, logger }: OrphanSweepOptions): OrphanSweep {
  let suspects: ReadonlySet<string> | undefined;
  let timer: NodeJS.Timeout | undefined;
  const failed = createFailureLog(logger);

  const isOurs = async (): Promise<boolean> => {
    const found = await findBucketOwner({ objects, scratch, logId });
    if (found.owner === 'shared') {
      const remedy =
        'Give each system a store of its own (MINIO_BUCKET, or another DATA_DIR). If the other one no longer exists, remove its mark.';
      logger.warn(
        { marks: found.marks },
        `the object store is marked as another system's as well, so files of lost uploads are not removed. ${remedy}`,
      );
    }
    return found.owner === 'us';
  };

  const look = async (): Promise<void> => {
    if (!(await isOurs())) return;
    const orphans = new Set<string>();
    const buckets = suspects === undefined ? FIRST_BUCKETS : LATER_BUCKETS;
    for (let ago = 0; ago < buckets; ago++) {
      const begin = Math.floor((Date.now() - ago * BUCKET_MS) / BUCKET_MS)
        .toString(16)
        .padStart(6, '0');
      for await (const key of objects.list(`originals/${begin}`)) if (!(await isRecorded(store, key))) orphans.add(key);
    }
    for (const key of suspects ?? []) if (!orphans.has(key) && !(await isRecorded(store, key))) orphans.add(key);
    const doomed = [...orphans].filter((key) => suspects?.has(key));
    await objects.remove(doomed);
    if (doomed.length > 0) logger.info({ count: doomed.length }, 'removed files of uploads that were never recorded');
    suspects = new Set([...orphans].filter((key) => !doomed.includes(key)));
  };

  const lookQuietly = (): void =>
    void look().catch((error: unknown) => failed(error, 'could not look for files of lost uploads'));
  return {
    look,
    start: () => {
      lookQuietly();
      timer = setInterval(lookQuietly, EVERY_MS).unref();
    },
    close: () => clearInterval(timer),
  };
}

async function isRecorded(store: Pick<EventStore, 'readStream'>, key: string): Promise<boolean> {
  const videoId = key.split('/')[1] ?? '';
  for await (const _event of store.readStream(videoStream(videoId))) return true;
  return false;
}
