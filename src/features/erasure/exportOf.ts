import type { RecordedEvent } from '../../core/event.ts';
import { readRegistered } from '../accounts/index.ts';
import type { ApiContext } from '../feature.ts';
import { createVideoQueries, uploadsOf } from '../videos/index.ts';

export interface ExportQuestion {
  readonly userId: string;
  /** Inclusive: the last position of the log that is read. */
  readonly until: bigint;
  readonly now: Date;
  readonly signal: AbortSignal;
}

const PAGE = 500;
const VIDEO_PAGE = 100;
/** No use for the user, and a secret. */
const SECRET = 'passwordHash';

type Context = Pick<ApiContext, 'store' | 'rawStore' | 'codec' | 'db' | 'objects'>;

/**
 * All that is known of a user, as the text of one JSON object, in pieces: a page of one list is in memory at a time.
 * @throws DomainError `user_unknown`, before the first piece
 */
export async function* exportOf(context: Context, question: ExportQuestion): AsyncGenerator<string> {
  const { userId, now } = question;
  const { state: user } = await readRegistered(context.store, userId);
  const { id, name, username, email, admin, createdAt, updatedAt } = user;
  const profile = { id, name, username, email, admin: admin === 'granted', createdAt, updatedAt };
  yield `{"exportedAt":${JSON.stringify(now)},"profile":${JSON.stringify(profile)}`;
  yield* list('sessions', sessionsOf(context, userId));
  yield* list('videos', videosOf(context, userId));
  yield* list('likes', likesOf(context, userId));
  yield* list('uploads', [await uploadsOf(context.db, userId)]);
  yield* list('events', eventsAbout(context, question));
  yield '}\n';
}

async function* list(
  name: string,
  pages: AsyncIterable<readonly unknown[]> | Iterable<readonly unknown[]>,
): AsyncGenerator<string> {
  yield `,\n"${name}":[`;
  let separator = '\n';
  for await (const page of pages) {
    if (page.length === 0) continue;
    yield separator + page.map((each) => JSON.stringify(each)).join(',\n');
    separator = ',\n';
  }
  yield ']';
}

async function* sessionsOf({ db }: Context, userId: string): AsyncGenerator<readonly unknown[]> {
  for (let after: string | undefined; ;) {
    const rows = await db
      .selectFrom('sessions.started as s')
      .leftJoin('sessions.used as u', 'u.session_id', 's.session_id')
      .leftJoin('sessions.revoked as r', 'r.session_id', 's.session_id')
      .select([
        's.session_id as id',
        's.user_agent as userAgent',
        's.started_at as createdAt',
        'u.used_at as lastUsedAt',
        'u.expires_at as expiresAt',
        'r.revoked_at as revokedAt',
      ])
      .where('s.user_id', '=', userId)
      .$if(after !== undefined, (query) => query.where('s.session_id', '>', after!))
      .orderBy('s.session_id')
      .limit(PAGE)
      .execute();
    yield rows;
    if (rows.length < PAGE) return;
    after = rows.at(-1)!.id;
  }
}

async function* videosOf({ db, objects }: Context, userId: string): AsyncGenerator<readonly unknown[]> {
  const queries = createVideoQueries({ db, urls: objects });
  for (let olderThan: string | undefined; ;) {
    const page = await queries.pageOfOwner(userId, { olderThan, limit: VIDEO_PAGE });
    yield page.videos.map(({ video, failure }) => ({ ...video, reason: failure }));
    if (page.next === undefined) return;
    olderThan = page.next;
  }
}

async function* likesOf({ db }: Context, userId: string): AsyncGenerator<readonly unknown[]> {
  for (let after: string | undefined; ;) {
    const rows = await db
      .selectFrom('likes.likes')
      .select(['video_id as videoId', 'liked', 'updated_at as at'])
      .where('user_id', '=', userId)
      .$if(after !== undefined, (query) => query.where('video_id', '>', after!))
      .orderBy('video_id')
      .limit(PAGE)
      .execute();
    yield rows;
    if (rows.length < PAGE) return;
    after = rows.at(-1)!.videoId;
  }
}

/** Only what is about the user is opened. */
async function* eventsAbout(
  { rawStore, codec }: Context,
  { userId, until, signal }: ExportQuestion,
): AsyncGenerator<readonly unknown[]> {
  for await (const { events } of rawStore.readAll({ after: 0n, until, signal })) {
    const found = events.filter((event) => isAbout(event, userId));
    if (found.length > 0) yield (await codec.decode(found)).map(shown);
  }
}

/** An event is about the one who did something; if it does not name one, about the owner of the video. */
function isAbout({ data }: RecordedEvent, userId: string): boolean {
  const { userId: user, reporterId, viewer, ownerId } = data as Readonly<Record<string, unknown>>;
  if (viewer !== undefined) return viewer === `user:${userId}`;
  return (user ?? reporterId ?? ownerId) === userId;
}

function shown({ type, data, time, stream, revision, position }: RecordedEvent): object {
  const { [SECRET]: _, ...known } = data as Record<string, unknown>;
  return { position: String(position), time, stream, revision, type, data: known };
}
