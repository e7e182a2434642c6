import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { ProjectionProgress } from '../core/projectionProgress.ts';
import type { SharedCache, SharedEntry } from './sharedCache.ts';
import { covers, reaches, type Stamp } from './stamp.ts';

/** A serialised answer with a strong ETag of its bytes. */
export interface CachedReply {
  readonly bytes: Buffer;
  readonly etag: string;
}

export interface CachedQuery {
  /** Contains everything that the answer depends on. The caller is not part of it, since all callers share an entry. */
  readonly key: string;
  /** The projection that the answer is read from. */
  readonly projection: string;
  /** The caller has seen this position, so the answer must not be older. */
  readonly minPosition?: bigint | undefined;
  /** Queries the read model. `undefined` (it does not exist) is cached too. */
  readonly load: () => Promise<Buffer | undefined>;
}

/**
 * A cache of serialised answers of queries.
 *
 * An answer is at most one second old. It includes the last commit of its projection that this process knows, and everything up
 * to `minPosition`. Any number of equal queries at the same time cause one `load`.
 */
export interface QueryCache {
  /** @throws what `load` throws. Errors are not cached. */
  get(query: CachedQuery): Promise<CachedReply | undefined>;
  /** Stops listening for commits. */
  close(): void;
}

export interface QueryCacheOptions {
  readonly progress: Pick<ProjectionProgress, 'onCommit' | 'positions'>;
  /** A second level that processes share. Without it, each process loads by itself. */
  readonly shared?: SharedCache | undefined;
  /** The maximum size of all entries, in bytes. Default: 32 MB. */
  readonly maxBytes?: number;
  /** A monotonic clock (ms). */
  readonly clock?: () => number;
}

/** An entry expires after this time, also when the notification of a commit is lost (ms). */
export const MAX_AGE_MS = 1_000;

/** The size of an entry in addition to its bytes and its key. */
const ENTRY_OVERHEAD = 300;

/** What was known when a load began. Its result is at least as fresh as this. */
interface LoadStart {
  /** How many commits of the projection this process had heard of. */
  readonly commits: number;
  readonly stamp: Stamp;
  readonly at: number;
}

interface Entry extends LoadStart {
  readonly reply: CachedReply | undefined;
  readonly expires: number;
}

interface RunningLoad extends LoadStart {
  readonly reply: Promise<CachedReply | undefined>;
}

export function createQueryCache({
  progress,
  shared,
  maxBytes = 32 * 1024 * 1024,
  clock = () => performance.now(),
}: QueryCacheOptions): QueryCache {
  const commits = new Map<string, number>();
  const commitsOf = (projection: string): number => commits.get(projection) ?? 0;
  const runningLoads = new Map<string, RunningLoad>();
  const entries = new LRUCache<string, Entry>({
    maxSize: maxBytes,
    sizeCalculation: ({ reply }, key) => (reply?.bytes.length ?? 0) + key.length + ENTRY_OVERHEAD,
  });
  // Entries from before a commit are not removed at once. They no longer match, and they expire soon.
  const stopListening = progress.onCommit(({ projection }) => commits.set(projection, commitsOf(projection) + 1));

  const isCurrent = (start: LoadStart, { projection, minPosition = 0n }: CachedQuery): boolean =>
    start.commits === commitsOf(projection) && reaches(start.stamp, minPosition);

  async function load(query: CachedQuery, start: LoadStart): Promise<CachedReply | undefined> {
    const found = shared && (await readShared(shared, query, start));
    const reply = toReply(found === undefined ? await query.load() : found.bytes);
    const expires = start.at + (found?.msLeft ?? MAX_AGE_MS);
    // A commit came during the load, so the answer may be from before it. That is fine for earlier callers, not for later ones.
    if (start.commits !== commitsOf(query.projection) || clock() >= expires) return reply;
    entries.set(query.key, { ...start, stamp: found?.stamp ?? start.stamp, reply, expires });
    if (found === undefined)
      shared?.write(query.key, { bytes: reply?.bytes, stamp: start.stamp, msLeft: expires - clock() });
    return reply;
  }

  return {
    get(query) {
      const entry = entries.get(query.key);
      if (entry !== undefined && clock() < entry.expires && isCurrent(entry, query))
        return Promise.resolve(entry.reply);
      const running = runningLoads.get(query.key);
      if (running !== undefined && clock() < running.at + MAX_AGE_MS && isCurrent(running, query)) return running.reply;

      const start = { commits: commitsOf(query.projection), stamp: progress.positions(query.projection), at: clock() };
      const reply = load(query, start).finally(() => {
        if (runningLoads.get(query.key)?.reply === reply) runningLoads.delete(query.key);
      });
      runningLoads.set(query.key, { ...start, reply });
      return reply;
    },
    close: stopListening,
  };
}

async function readShared(
  shared: SharedCache,
  { key, minPosition = 0n }: CachedQuery,
  { stamp }: LoadStart,
): Promise<SharedEntry | undefined> {
  const found = await shared.read(key);
  return found !== undefined && covers(found.stamp, stamp) && reaches(found.stamp, minPosition) ? found : undefined;
}

function toReply(bytes: Buffer | undefined): CachedReply | undefined {
  return bytes && { bytes, etag: `"${createHash('sha1').update(bytes).digest('base64url')}"` };
}
