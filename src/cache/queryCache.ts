import { LRUCache } from 'lru-cache';
import type { ProjectionProgress } from '../core/projectionProgress.ts';
import { createCacheCounts, type CacheCounts } from '../telemetry/cacheMetrics.ts';
import type { SharedCache, SharedEntry } from './sharedCache.ts';
import { covers, reaches, type Stamp } from './stamp.ts';

/** How one kind of answers is kept. A hit in this process returns the value itself, without any of this work. */
export interface CachedForm<Value> {
  /** What processes share of it. */
  encode(value: Value): Buffer;
  decode(bytes: Buffer): Value;
  /** Its size in memory, roughly (bytes). */
  sizeOf(value: Value): number;
}

export interface CachedQuery<Value> {
  /**
   * Contains everything that the answer depends on. The caller is not part of it, since all callers share an entry. One
   * key always has values of one form.
   */
  readonly key: string;
  /** The projection that the answer is read from. */
  readonly projection: string;
  /** The caller has seen this position, so the answer must not be older. */
  readonly minPosition?: bigint | undefined;
  readonly form: CachedForm<Value>;
  /** Queries the read model. `undefined` (it does not exist) is cached too. All callers get the same value. */
  readonly load: () => Promise<Value | undefined>;
}

/**
 * A cache of answers of queries.
 *
 * An answer is at most one second old. It includes the last commit of its projection that this process knows, and everything up
 * to `minPosition`. Any number of equal queries at the same time cause one `load`.
 */
export interface QueryCache {
  /** @throws what `load` throws. Errors are not cached. */
  get<Value>(query: CachedQuery<Value>): Promise<Value | undefined>;
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
  /** Counts how queries were answered. */
  readonly counts?: CacheCounts;
}

/** An entry expires after this time, also when the notification of a commit is lost (ms). */
export const MAX_AGE_MS = 1_000;

/** The size of an entry in addition to its value and its key (bytes). */
const ENTRY_OVERHEAD = 300;

/** What was known when a load began. Its result is at least as fresh as this. */
interface LoadStart {
  /** How many commits of the projection this process had heard of. */
  readonly commits: number;
  readonly stamp: Stamp;
  readonly at: number;
}

/** Of a query: what its answer must include. */
type Freshness = Pick<CachedQuery<unknown>, 'key' | 'projection' | 'minPosition'>;

interface Entry extends LoadStart {
  readonly value: unknown;
  readonly size: number;
  readonly expires: number;
}

interface RunningLoad extends LoadStart {
  readonly value: Promise<unknown>;
}

export function createQueryCache({
  progress,
  shared,
  maxBytes = 32 * 1024 * 1024,
  clock = () => performance.now(),
  counts = createCacheCounts(),
}: QueryCacheOptions): QueryCache {
  const commits = new Map<string, number>();
  const commitsOf = (projection: string): number => commits.get(projection) ?? 0;
  const runningLoads = new Map<string, RunningLoad>();
  const entries = new LRUCache<string, Entry>({ maxSize: maxBytes, sizeCalculation: ({ size }) => size });
  // Entries from before a commit are not removed at once. They no longer match, and they expire soon.
  const stopListening = progress.onCommit(({ projection }) => commits.set(projection, commitsOf(projection) + 1));

  const isCurrent = (start: LoadStart, { projection, minPosition = 0n }: Freshness): boolean =>
    start.commits === commitsOf(projection) && reaches(start.stamp, minPosition);

  async function load<Value>(query: CachedQuery<Value>, start: LoadStart): Promise<Value | undefined> {
    const { key, projection, form } = query;
    const found = shared && (await readShared(shared, query, start));
    counts[found === undefined ? 'miss' : 'shared']++;
    const value = found === undefined ? await query.load() : found.bytes && form.decode(found.bytes);
    const expires = start.at + (found?.msLeft ?? MAX_AGE_MS);
    // A commit came during the load, so the answer may be from before it. That is fine for earlier callers, not for later ones.
    if (start.commits !== commitsOf(projection) || clock() >= expires) return value;
    const size = (value === undefined ? 0 : form.sizeOf(value)) + key.length + ENTRY_OVERHEAD;
    entries.set(key, { ...start, stamp: found?.stamp ?? start.stamp, value, size, expires });
    if (found === undefined)
      shared?.write(key, { bytes: value && form.encode(value), stamp: start.stamp, msLeft: expires - clock() });
    return value;
  }

  return {
    get<Value>(query: CachedQuery<Value>): Promise<Value | undefined> {
      const entry = entries.get(query.key);
      if (entry !== undefined && clock() < entry.expires && isCurrent(entry, query)) {
        counts.hit++;
        return Promise.resolve(entry.value as Value | undefined);
      }
      const running = runningLoads.get(query.key);
      if (running !== undefined && clock() < running.at + MAX_AGE_MS && isCurrent(running, query)) {
        counts.joined++;
        return running.value as Promise<Value | undefined>;
      }

      const start = { commits: commitsOf(query.projection), stamp: progress.positions(query.projection), at: clock() };
      const value = load(query, start).finally(() => {
        if (runningLoads.get(query.key)?.value === value) runningLoads.delete(query.key);
      });
      runningLoads.set(query.key, { ...start, value });
      return value;
    },
    close: stopListening,
  };
}

async function readShared(
  shared: SharedCache,
  { key, minPosition = 0n }: Freshness,
  { stamp }: LoadStart,
): Promise<SharedEntry | undefined> {
  const found = await shared.read(key);
  return found !== undefined && covers(found.stamp, stamp) && reaches(found.stamp, minPosition) ? found : undefined;
}
