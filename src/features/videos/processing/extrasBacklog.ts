import { sql, type Kysely, type SqlBool } from 'kysely';
import { v7 } from 'uuid';
import type { ReadModels } from '../../../../projections/index.ts';
import { DomainError } from '../../../core/errors.ts';
import type { Jobs, JobTransaction } from '../../../jobs/jobs.ts';
import { extrasQueue } from './queues.ts';

/** A video that can be played, but has no ladder, no storyboard or no preview. */
export interface IncompleteVideo {
  readonly id: string;
  readonly ownerId: string;
}

const isIncomplete = sql<SqlBool>`status = 'ready' and (hls_key is null or storyboard_key is null or preview_key is null)`;

/** All of them, oldest first. */
export async function incompleteVideos(db: Kysely<ReadModels>): Promise<IncompleteVideo[]> {
  return await existing(db).select(['id', 'owner_id as ownerId']).where(isIncomplete).orderBy('id').execute();
}

/**
 * Those of these videos that are incomplete.
 * @throws DomainError `video_not_found`, and `video_not_ready` when one of them cannot be played
 */
export async function incompleteOf(db: Kysely<ReadModels>, ids: readonly string[]): Promise<IncompleteVideo[]> {
  const wanted = new Set(ids.map((id) => id.toLowerCase()));
  const found = await existing(db)
    .select(['id', 'owner_id as ownerId', 'status', isIncomplete.as('incomplete')])
    .where(sql<SqlBool>`id::text = any(${[...wanted]})`)
    .orderBy('id')
    .execute();
  for (const id of wanted) {
    const video = found.find((each) => each.id === id);
    if (video === undefined) throw new DomainError('notFound', 'video_not_found', `There is no video ${id}.`);
    if (video.status !== 'ready')
      throw new DomainError('conflict', 'video_not_ready', `The video ${id} cannot be played: it is ${video.status}.`);
  }
  return found.filter(({ incomplete }) => incomplete).map(({ id, ownerId }) => ({ id, ownerId }));
}

const existing = (db: Kysely<ReadModels>) => db.selectFrom('videos.videos').where('deleted_at', 'is', null);

/**
 * Adds a job for each of the videos that has none waiting or running. It runs when no job of a new upload waits. Returns, in
 * the order of the videos, the ids of the jobs that will run: new ones, and those that were there.
 */
export async function makeMissingExtras(
  jobs: Pick<Jobs, 'addUnlessOpen'>,
  videos: readonly IncompleteVideo[],
  transaction: JobTransaction,
): Promise<string[]> {
  const added = videos.map(({ id: videoId, ownerId }) => {
    return { id: v7(), ownerId, background: true, data: { videoId, correlationId: v7() } };
  });
  return jobs.addUnlessOpen(extrasQueue, added, 'videoId', transaction);
}
