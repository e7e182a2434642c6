import { hash } from 'node:crypto';
import type { RecordedEvent } from '../../core/event.ts';
import type { EventStore } from '../../core/eventStore.ts';
import { checkEvent, type CheckedEvent } from './checkEvent.ts';
import { createErasures } from './erasures.ts';
import { createLinks, type Link } from './links.ts';

/**
 * Events without a hash are from an older program. While processes are updated, it may record some after the first
 * hashes; later than this (ms), none.
 */
const LONGEST_UPDATE_MS = 24 * 60 * 60 * 1_000;

/** The first thing that is wrong in a log. */
export interface Break {
  readonly position: bigint;
  /** Absent when the log lacks events there. */
  readonly stream?: string;
  readonly revision?: number;
  /** A sentence. */
  readonly problem: string;
}

/** What a seal says of the first `events` events of a log. */
export interface Digest {
  readonly events: number;
  /** SHA-256, of the digest before the last of these events and of its hash, both hexadecimal. */
  readonly digest: string;
}

export interface CheckedLog extends Digest {
  /** Of the first event that was checked; undefined when there was none. */
  readonly firstId: string | undefined;
  /** Of the last event that was checked; what the check began after, when there was none. */
  readonly position: bigint;
  readonly withoutHash: number;
  /** Of the last event without a hash. */
  readonly lastWithoutHash: bigint | undefined;
  /** Events that have their time in no hash: EventStoreDB sets it itself. */
  readonly withoutTime: number;
  /** Events whose text is erased, because their user is forgotten. The rest of them is as it was recorded. */
  readonly erased: number;
  /** Undefined when everything is as it was recorded. The check ends there. */
  readonly broken: Break | undefined;
}

export interface CheckLogOptions {
  readonly store: Pick<EventStore, 'readAll' | 'readStream'>;
  /** Exclusive. */
  readonly after?: bigint;
  /** Inclusive; not beyond the head. */
  readonly until: bigint;
  /** Whether the positions of this store follow each other without a gap, so that a missing one is a missing event. */
  readonly gapless: boolean;
  /** What the log began with when it was sealed. Needs a check from the beginning. */
  readonly sealed?: Digest;
  readonly signal?: AbortSignal;
  readonly onProgress?: (checked: { readonly events: number; readonly position: bigint }) => void;
}

/** Checks events in the order of the log, one after the other. */
export interface LogCheck {
  /** What has been checked so far. */
  readonly seen: Omit<CheckedLog, 'broken'>;
  /** Makes `add` possible for these events, which follow each other in the log. */
  load(events: readonly RecordedEvent[]): Promise<void>;
  /** Checks the next event. Returns what is wrong with it; the check then ends. */
  add(event: RecordedEvent): Break | undefined;
  /** Checks what only the whole log shows. */
  end(signal?: AbortSignal): Promise<Break | undefined>;
}

export function createLogCheck({
  store,
  after = 0n,
  gapless,
  sealed,
}: Pick<CheckLogOptions, 'store' | 'after' | 'gapless' | 'sealed'>): LogCheck {
  const links = createLinks(store);
  const erasures = createErasures(store);
  const seen = {
    events: 0,
    digest: '',
    firstId: undefined as string | undefined,
    position: after,
    withoutHash: 0,
    lastWithoutHash: undefined as bigint | undefined,
    withoutTime: 0,
    erased: 0,
  };
  let hashedSince: number | undefined;

  /** Why the event cannot be where it is. */
  function problemWith(event: RecordedEvent, checked: CheckedEvent): string | undefined {
    if (checked.problem !== undefined) return checked.problem;
    if (checked.covered !== 'nothing') hashedSince ??= event.time.getTime();
    else if (hashedSince !== undefined && event.time.getTime() > hashedSince + LONGEST_UPDATE_MS)
      return `It has no hash, although events have hashes since ${new Date(hashedSince).toISOString()}.`;
    return undefined;
  }

  function count(event: RecordedEvent, { covered, hash: own }: CheckedEvent): void {
    seen.firstId ??= event.id;
    seen.events++;
    seen.position = event.position;
    seen.digest = hash('sha256', `${seen.digest}${own}`);
    if (covered === 'all but its time') seen.withoutTime++;
    if (erasures.add(event)) seen.erased++;
    if (covered !== 'nothing') return;
    seen.withoutHash++;
    seen.lastWithoutHash = event.position;
  }

  return {
    seen,
    load: (events) => links.load(events),
    add(event) {
      const expected = seen.position + 1n;
      if (gapless && event.position > expected)
        return { position: expected, problem: missing(expected, event.position - 1n) };
      const checked = checkEvent(event, links.before(event));
      const problem = problemWith(event, checked);
      if (problem !== undefined) return { ...placeOf(event), problem };
      links.add(event);
      count(event, checked);
      if (seen.events === sealed?.events && seen.digest !== sealed.digest)
        return { position: event.position, problem: NOT_AS_SEALED };
      return undefined;
    },
    end: (signal) => erasures.broken(signal),
  };
}

/** Reads the log and checks that each event follows the one before it in its stream, unchanged. */
export async function checkLog(options: CheckLogOptions): Promise<CheckedLog> {
  const { store, after = 0n, until, gapless, sealed, signal, onProgress } = options;
  const check = createLogCheck(options);
  const { seen } = check;
  for await (const { events, position } of store.readAll({ after, until, hashes: true, ...(signal && { signal }) })) {
    await check.load(events);
    for (const event of events) {
      const broken = check.add(event);
      if (broken !== undefined) return { ...seen, broken };
    }
    onProgress?.({ events: seen.events, position });
  }
  return { ...seen, broken: (await check.end(signal)) ?? brokenEnd() };

  function brokenEnd(): Break | undefined {
    if (gapless && seen.position < until)
      return { position: seen.position + 1n, problem: missing(seen.position + 1n, until) };
    if (sealed === undefined || seen.events >= sealed.events) return undefined;
    const problem = `The log ends here with ${seen.events} events, and the seal is of ${sealed.events}: its end is missing.`;
    return { position: seen.position, problem };
  }
}

const NOT_AS_SEALED =
  'The events up to here are not those of the seal: some were changed, removed, added or put into another order since, and their hashes were made again.';

function missing(first: bigint, last: bigint): string {
  return first === last ? 'The event is missing.' : `The events up to position ${last} are missing.`;
}

function placeOf({
  position,
  stream,
  revision,
}: RecordedEvent): Pick<Required<Break>, 'position' | 'stream' | 'revision'> {
  return { position, stream, revision };
}

/** Checks one stream as `checkLog` does. Events between those of the stream cannot be missed. */
export async function checkStream(
  store: Pick<EventStore, 'readStream'>,
  stream: string,
  signal?: AbortSignal,
): Promise<Pick<CheckedLog, 'events' | 'withoutHash' | 'withoutTime' | 'erased' | 'broken'>> {
  const erasures = createErasures(store);
  const seen = { events: 0, withoutHash: 0, withoutTime: 0, erased: 0 };
  let before: Link | undefined;
  for await (const event of store.readStream(stream, { hashes: true, ...(signal && { signal }) })) {
    const { problem, covered } = checkEvent(event, before);
    if (problem !== undefined) return { ...seen, broken: { ...placeOf(event), problem } };
    before = event;
    seen.events++;
    if (covered === 'nothing') seen.withoutHash++;
    if (covered === 'all but its time') seen.withoutTime++;
    if (erasures.add(event)) seen.erased++;
  }
  return { ...seen, broken: await erasures.broken(signal) };
}
