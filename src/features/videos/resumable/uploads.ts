import { sql, type Kysely, type Selectable } from 'kysely';
import { DomainError } from '../../../core/errors.ts';

/** Resumable uploads (migration 0011). */
export interface UploadTables {
  readonly 'reelstream.resumable_uploads': UploadColumns;
}

interface UploadColumns {
  readonly id: string;
  readonly owner_id: string;
  /** The id of the video that it becomes. */
  readonly video_id: string;
  /** Bytes of the whole file. */
  readonly length: number;
  /** Bytes that are stored. */
  readonly received: number;
  /** Keys of the objects that hold these bytes, in their order. */
  readonly parts: string[];
  /** `Upload-Metadata`, as the client sent it. */
  readonly metadata: string;
  /** The position of the video's first event, once the upload has become a video. */
  readonly video_position: bigint | null;
  readonly created_at: Date;
  readonly expires_at: Date;
}

export type UploadRow = Selectable<UploadColumns>;

export interface NewUpload {
  readonly id: string;
  readonly ownerId: string;
  readonly videoId: string;
  readonly length: number;
  readonly metadata: string;
  readonly expiresAt: Date;
}

/** The rows of resumable uploads. What only the holder of a lock may change names the holder. */
export interface Uploads {
  find(id: string): Promise<UploadRow | undefined>;
  /** Those of a user that have not become a video and have not expired, oldest first. */
  unfinishedOf(ownerId: string): Promise<UploadRow[]>;
  /** All of a user that are known, also those that have become videos. */
  allOf(ownerId: string): Promise<UploadRow[]>;
  expired(): Promise<UploadRow[]>;
  /** Those whose last byte has arrived some time ago, but which have not become a video: their process has died. */
  abandonedAtTheEnd(): Promise<UploadRow[]>;
  /** Adds a row that `holder` has locked. */
  create(upload: NewUpload, holder: string): Promise<void>;
  /** Adds a stored part. False: the lock was lost, or others have added bytes; then nothing has changed. */
  addPart(id: string, holder: string, part: { offset: number; size: number; key: string }): Promise<boolean>;
  /** Records that the upload has become its video. */
  finish(id: string, position: bigint): Promise<void>;
  remove(id: string): Promise<void>;
  /** Locks a row that nobody holds. `missing`: there is no such row, so nobody else can hold it. */
  lock(id: string, holder: string): Promise<'locked' | 'held' | 'missing'>;
  /** Keeps the lock for longer. Says whether another request waits for it. */
  keepLock(id: string, holder: string): Promise<boolean>;
  unlock(id: string, holder: string): Promise<void>;
}

/** A lock that its holder no longer keeps is free after this time. */
const LEASE = sql<Date>`now() + interval '6 seconds'`;

const columns = [
  'id',
  'owner_id',
  'video_id',
  'length',
  'received',
  'parts',
  'metadata',
  'video_position',
  'created_at',
  'expires_at',
] as const;

interface AllTables {
  readonly 'reelstream.resumable_uploads': UploadColumns & {
    readonly lock_holder: string | null;
    readonly locked_until: Date | null;
    readonly release_asked: boolean;
  };
}

export function createUploads<Tables>(anyDb: Kysely<Tables>): Uploads {
  const db = anyDb as unknown as Kysely<AllTables>;
  const table = 'reelstream.resumable_uploads';
  const select = () => db.selectFrom(table).select(columns);
  const rows = (found: UploadRow[]): UploadRow[] => found.map(withNumbers);

  return {
    async find(id) {
      const row = await select().where('id', '=', id).executeTakeFirst();
      return row && withNumbers(row);
    },
    unfinishedOf: async (ownerId) =>
      rows(
        await select()
          .where('owner_id', '=', ownerId)
          .where('video_position', 'is', null)
          .where('expires_at', '>', sql<Date>`now()`)
          .orderBy('created_at')
          .orderBy('id')
          .execute(),
      ),
    allOf: async (ownerId) => rows(await select().where('owner_id', '=', ownerId).execute()),
    expired: async () =>
      rows(
        await select()
          .where('expires_at', '<=', sql<Date>`now()`)
          .limit(1_000)
          .execute(),
      ),
    abandonedAtTheEnd: async () =>
      rows(
        await select()
          .whereRef('received', '=', 'length')
          .where('video_position', 'is', null)
          .where('expires_at', '>', sql<Date>`now()`)
          .where('locked_until', '<', sql<Date>`now()`)
          .limit(100)
          .execute(),
      ),
    async create({ id, ownerId, videoId, length, metadata, expiresAt }, holder) {
      await sql`
        insert into reelstream.resumable_uploads (id, owner_id, video_id, length, metadata, expires_at, lock_holder, locked_until)
        values (${id}, ${ownerId}, ${videoId}, ${length}, ${metadata}, ${expiresAt}, ${holder}, ${LEASE})`.execute(db);
    },
    async addPart(id, holder, { offset, size, key }) {
      const { numUpdatedRows } = await db
        .updateTable(table)
        .set({ received: offset + size, parts: sql<string[]>`array_append(parts, ${key})`, locked_until: LEASE })
        .where('id', '=', id)
        .where('lock_holder', '=', holder)
        .where('received', '=', offset)
        .executeTakeFirstOrThrow();
      return numUpdatedRows === 1n;
    },
    async finish(id, position) {
      await db.updateTable(table).set({ video_position: position, parts: [] }).where('id', '=', id).execute();
    },
    async remove(id) {
      await db.deleteFrom(table).where('id', '=', id).execute();
    },
    async lock(id, holder) {
      const { rows } = await sql<{ readonly got: boolean }>`
        with found as (
          select id, lock_holder is null or locked_until < now() as free
          from reelstream.resumable_uploads where id = ${id} for update
        )
        update reelstream.resumable_uploads u set
          lock_holder = case when free then ${holder}::uuid else lock_holder end,
          locked_until = case when free then ${LEASE} else locked_until end,
          release_asked = not free
        from found where u.id = found.id
        returning free as got`.execute(db);
      if (rows[0] === undefined) return 'missing';
      return rows[0].got ? 'locked' : 'held';
    },
    async keepLock(id, holder) {
      const row = await db
        .updateTable(table)
        .set({ locked_until: LEASE })
        .where('id', '=', id)
        .where('lock_holder', '=', holder)
        .returning('release_asked')
        .executeTakeFirst();
      return row?.release_asked ?? false;
    },
    async unlock(id, holder) {
      await db
        .updateTable(table)
        .set({ lock_holder: null, release_asked: false })
        .where('id', '=', id)
        .where('lock_holder', '=', holder)
        .execute();
    },
  };
}

/** PostgreSQL sends numbers of 64 bits as text. */
function withNumbers(row: UploadRow): UploadRow {
  return {
    ...row,
    length: Number(row.length),
    received: Number(row.received),
    video_position: row.video_position === null ? null : BigInt(row.video_position),
  };
}

export function isComplete({ received, length }: UploadRow): boolean {
  return received === length;
}

export function uploadNotFound(): DomainError {
  return new DomainError('notFound', 'upload_not_found', 'There is no such upload. Begin a new one.');
}

export function uploadLocked(cause?: unknown): DomainError {
  return new DomainError('locked', 'upload_locked', 'Another request is using this upload; try again.', {
    retryAfter: 1,
    cause,
  });
}
