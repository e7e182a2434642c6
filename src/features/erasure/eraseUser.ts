import { sql } from 'kysely';
import { sessions } from '../../../projections/sessions.ts';
import { videos } from '../../../projections/videos/videos.ts';
import { pause } from '../../core/abortable.ts';
import type { CommandContext } from '../../core/commandContext.ts';
import type { JobRun } from '../../jobs/queue.ts';
import { releaseNamesOf } from '../accounts/index.ts';
import type { WorkerContext } from '../feature.ts';
import { endSessionsOf } from '../sessions/index.ts';
import { deleteVideosOf, removeUploadsOf } from '../videos/index.ts';
import type { EraseJob } from './queues.ts';

/** After so long (ms), the job is tried again later. */
const LONGEST_WAIT_MS = 10_000;
const LOOK_MS = 100;

/**
 * Leaves nothing of a user whose account is deleted (`UserForgotten`) but ids. Every step finds by itself what there is to do, so
 * it may be ended anywhere and repeated. The key goes first: no later step needs what it opened, and from then on nothing
 * more is recorded of the user.
 * @throws Error when a read model is behind, or a request still uses an upload: then it must be repeated
 */
export async function eraseUser(
  context: WorkerContext,
  { userId, correlationId, causationId, traceparent }: EraseJob,
  { signal }: Pick<JobRun, 'signal'>,
): Promise<void> {
  const { store, rawStore, db, keys, erasedTables } = context;
  const command: CommandContext = {
    correlationId,
    causationId,
    actor: 'erasure',
    now: new Date(),
    ...(traceparent !== undefined && { traceparent }),
  };
  await keys.forget(userId);
  await releaseNamesOf({ store, log: rawStore }, userId, { ...command, signal });

  const before = await store.head();
  for (const { name } of [sessions, videos])
    await until(() => erasedTables.isPast(name, before), `the read model ${name} is behind`, signal);
  const uploads = await removeUploadsOf(context, userId);
  const ofSessions = await endSessionsOf(context, userId, command);
  const ofVideos = await deleteVideosOf(context, userId, command);
  // What commands were answered may quote them. A repeat is refused: its token has ended.
  await sql`delete from reelstream.idempotency where actor = ${userId}`.execute(db);

  const after = await store.head();
  const streams = [`user-${userId}`, ...ofSessions, ...ofVideos];
  let behind: readonly string[] = [];
  const isErased = async (): Promise<boolean> => (behind = await erasedTables.behind(after, streams)).length === 0;
  await until(isErased, () => `these tables may still have data of the user: ${behind.join(', ')}`, signal);
  if (uploads > 0) throw new Error('a request still uses an upload of the user');
}

async function until(
  isSo: () => Promise<boolean>,
  otherwise: string | (() => string),
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + LONGEST_WAIT_MS;
  while (!(await isSo())) {
    signal.throwIfAborted();
    if (performance.now() > deadline) throw new Error(typeof otherwise === 'string' ? otherwise : otherwise());
    await pause(LOOK_MS, signal);
  }
}
