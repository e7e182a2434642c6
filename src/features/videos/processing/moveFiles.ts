import { sql, type Kysely } from 'kysely';
import type { ReadModels } from '../../../../projections/index.ts';
import type { CommandContext } from '../../../core/commandContext.ts';
import { handleCommand } from '../../../core/commandHandler.ts';
import type { EventStore } from '../../../core/eventStore.ts';
import type { ObjectStore } from '../../../objectStore/objectStore.ts';
import { LONGEST_SIGNED } from '../../../objectStore/signedPaths.ts';
import { accessFor, videoDecider, videoStream, type ExistingVideo } from '../decider.ts';
import type { FilesAccess } from '../events.ts';
import { readVideo } from '../readVideo.ts';
import { keyNow, mediaPrefix, removeObjects } from './mediaKeys.ts';

export interface MoveFilesOptions {
  readonly store: Pick<EventStore, 'append' | 'readStream'>;
  readonly objects: Pick<ObjectStore, 'copy' | 'list' | 'remove'>;
  readonly db: Kysely<ReadModels>;
}

/**
 * Brings the files of a video to where its visibility wants them: copies them, records that, and removes the old ones. It is safe
 * to repeat after it was cut anywhere.
 *
 * When it resolves for a video that has become private, the public URLs of before no longer work. For one that has become public, the
 * signed URLs of before work until they end: everybody was given them while the files were moved. The copies that they lead to are
 * removed by a call an hour or more after the move (`movedQueue`).
 *
 * Those who store files of a video call it when the video's files have been moved since they began.
 */
export type MoveFiles = (videoId: string, context: CommandContext, signal?: AbortSignal) => Promise<void>;

export function createMoveFiles({ store, objects, db }: MoveFilesOptions): MoveFiles {
  return (videoId, context, signal) =>
    withLock(db, videoId, async (confirmLock) => {
      for (;;) {
        const { state } = await readVideo(store, videoId);
        if (state.status === 'none') return;
        if (state.status === 'deleted') return removeObjects(objects, videoId);
        const access = accessFor(state);
        const copied = await copyAll(objects, videoId, access, signal);
        const at = context.now.toISOString();
        const command = { type: 'RecordFilesMoved', access, at } as const;
        const { state: now } = await handleCommand(store, videoDecider, videoStream(videoId), command, context);
        // Otherwise the visibility has changed again, or the video was deleted.
        if (now.status === 'none' || now.status === 'deleted' || now.filesAccess !== access) continue;
        if (access === 'public' && areSignedUrlsValid(now, context.now)) return;
        await confirmLock();
        return objects.remove(copied);
      }
    });
}

/** Whether a signed URL from before the move may still work. */
function areSignedUrlsValid({ filesMovedAt }: Pick<ExistingVideo, 'filesMovedAt'>, now: Date): boolean {
  return filesMovedAt !== undefined && now.getTime() < Date.parse(filesMovedAt) + LONGEST_SIGNED * 1_000;
}

/** Copies what is under the other prefix, and returns the keys there. What an earlier try has copied is complete. */
async function copyAll(
  objects: MoveFilesOptions['objects'],
  videoId: string,
  access: FilesAccess,
  signal?: AbortSignal,
): Promise<string[]> {
  const there = new Set<string>();
  for await (const key of objects.list(mediaPrefix(access, videoId))) there.add(key);
  const keys: string[] = [];
  for await (const key of objects.list(mediaPrefix(access === 'private' ? 'public' : 'private', videoId))) {
    signal?.throwIfAborted();
    if (!there.has(keyNow(key, access))) await objects.copy(key, keyNow(key, access));
    keys.push(key);
  }
  return keys;
}

/**
 * Only one process at a time moves the files of a video: another that moves them back could otherwise remove what this one has just
 * copied. A process that is killed loses the lock with its connection; one that was stopped for minutes finds that it has lost it.
 */
async function withLock<Result>(
  db: Kysely<ReadModels>,
  videoId: string,
  run: (confirmLock: () => Promise<void>) => Promise<Result>,
): Promise<Result> {
  return db.transaction().execute(async (transaction) => {
    await sql`
      select set_config('lock_timeout', '60s', true), set_config('idle_in_transaction_session_timeout', '300s', true)`.execute(
      transaction,
    );
    await sql`select pg_advisory_xact_lock(hashtext(${`files of ${videoId}`}))`.execute(transaction);
    return run(async () => void (await sql`select 1`.execute(transaction)));
  });
}
