import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { ProjectionProgress } from '../core/projectionProgress.ts';
import type { SharedCache, SharedEntry } from './sharedCache.ts';
import { covers, reaches, type Stamp } from './stamp.ts';

/** A serialised answer, and a strong ETag made of its bytes. */
export interface CachedReply {
  readonly bytes: Buffer;
  readonly etag: string;
}

export interface CachedQuery {
  /** Says all that the answer depends on. Nothing about who asks: entries are shared by everyone. */
  readonly key: string;
  /** The projection that feeds the answer. */
  readonly projection: string;
  /** The asker has seen this position of the projection: nothing older will do. */
  readonly minPosition?: bigint | undefined;
  /** Asks the read model. `undefined` (there is no such thing) is remembered too. */
  readonly load: () => Promise<Buffer | undefined>;
}

/**
 * Serialised answers of queries.
 *
 * Promises: no answer is older than one second, nor than the last commit of its projection that this process has heard
 * of, nor than `minPosition`; any number of equal questions at once lead to one `load`.
 */
export interface QueryCache {
  /** @throws what `load` throws. Errors are not remembered. */
  get(query: CachedQuery): Promise<CachedReply | undefined>;
  /** Stops listening to commits. */
  close(): void;
}

export interface QueryCacheOptions {
  readonly progress: Pick<ProjectionProgress, 'onCommit' | 'positions'>;
  /** A second level that other processes share; without it every process loads for itself. */
  readonly shared?: SharedCache | undefined;
  /** Most memory for entries, in bytes; 32 MB by default. */
  readonly maxBytes?: number;
  /** Milliseconds, rising steadily. */
  readonly clock?: () => number;
}

/** The longest that any answer lives, in milliseconds, even where word of a commit is lost. */
export const MAX_AGE_MS = 1_000;

/** What an entry weighs beside its bytes. */
const ENTRY_OVERHEAD = 300;

/** What was known when a load began; its result can be no fresher than that. */
interface Beginning {
  /** Commits of the projection heard of until then. */
  readonly commits: number;
  readonly stamp: Stamp;
  readonly at: number;
}

interface Entry extends Beginning {
  readonly reply: CachedReply | undefined;
  readonly expires: number;
}

interface Flight extends Beginning {
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
  const flights = new Map<string, Flight>();
  const entries = new LRUCache<string, Entry>({
    maxSize: maxBytes,
    sizeCalculation: ({ reply }, key) => (reply?.bytes.length ?? 0) + key.length + ENTRY_OVERHEAD,
  });
  // Entries of earlier commits are not searched for and removed: they no longer match, and age or the LRU takes them.
  const stopListening = progress.onCommit(({ projection }) => commits.set(projection, commitsOf(projection) + 1));

  const stillTrue = (begun: Beginning, { projection, minPosition = 0n }: CachedQuery): boolean =>
    begun.commits === commitsOf(projection) && reaches(begun.stamp, minPosition);

  async function fly(query: CachedQuery, begun: Beginning): Promise<CachedReply | undefined> {
    const found = shared && (await fromOthers(shared, query, begun));
    const reply = toReply(found === undefined ? await query.load() : found.bytes);
    const expires = begun.at + (found?.msLeft ?? MAX_AGE_MS);
    // Loaded across a commit, it may be of before or after: good for those who asked before the commit, not for later ones.
    if (begun.commits !== commitsOf(query.projection) || clock() >= expires) return reply;
    entries.set(query.key, { ...begun, stamp: found?.stamp ?? begun.stamp, reply, expires });
    if (found === undefined)
      shared?.write(query.key, { bytes: reply?.bytes, stamp: begun.stamp, msLeft: expires - clock() });
    return reply;
  }

  return {
    get(query) {
      const entry = entries.get(query.key);
      if (entry !== undefined && clock() < entry.expires && stillTrue(entry, query))
        return Promise.resolve(entry.reply);
      const underWay = flights.get(query.key);
      if (underWay !== undefined && clock() < underWay.at + MAX_AGE_MS && stillTrue(underWay, query))
        return underWay.reply;

      const begun = { commits: commitsOf(query.projection), stamp: progress.positions(query.projection), at: clock() };
      const reply = fly(query, begun).finally(() => {
        if (flights.get(query.key)?.reply === reply) flights.delete(query.key);
      });
      flights.set(query.key, { ...begun, reply });
      return reply;
    },
    close: stopListening,
  };
}

async function fromOthers(
  shared: SharedCache,
  { key, minPosition = 0n }: CachedQuery,
  { stamp }: Beginning,
): Promise<SharedEntry | undefined> {
  const found = await shared.read(key);
  return found !== undefined && covers(found.stamp, stamp) && reaches(found.stamp, minPosition) ? found : undefined;
}

function toReply(bytes: Buffer | undefined): CachedReply | undefined {
  return bytes && { bytes, etag: `"${createHash('sha1').update(bytes).digest('base64url')}"` };
}
