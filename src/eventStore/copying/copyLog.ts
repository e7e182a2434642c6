import type { RecordedEvent } from '../../core/event.ts';
import { recordedContentOf } from '../../core/erasedFields.ts';
import { contentOf } from '../../core/eventHash.ts';
import { ImportRefused, type EventImport } from '../../core/eventImport.ts';
import type { EventStore } from '../../core/eventStore.ts';
import { checkLog, createLogCheck, type Break, type CheckedLog } from '../integrity/checkLog.ts';

/** Checking takes about this share of the time of a copy. */
const SHARE_OF_CHECKING = 0.1;
/** Events that are read and written at a time. */
const BATCH_SIZE = 1_000;

/** One side of a copy. */
export interface CopiedStore {
  readonly store: Pick<EventStore, 'readAll' | 'readStream' | 'head'>;
  /** Whether its positions have no gaps (`CheckLogOptions`). */
  readonly gapless: boolean;
}

export interface CopyProgress {
  readonly doing: 'comparing' | 'copying' | 'checking';
  /** Of all: 0 to 1. */
  readonly share: number;
  readonly events: number;
}

export interface CopyLogOptions {
  readonly from: CopiedStore;
  readonly to: CopiedStore & { readonly imported: EventImport };
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: CopyProgress) => void;
}

export interface CopiedLog extends Pick<CheckedLog, 'events' | 'digest' | 'position'> {
  /** Events that this run has added; the others were there. */
  readonly added: number;
  /** Events that were recorded in the source while the target was checked. */
  readonly isBehind: boolean;
}

/** One of the two logs is broken. */
export class BrokenLog extends Error {
  readonly side: 'source' | 'target';
  readonly broken: Break;

  constructor(side: 'source' | 'target', broken: Break) {
    super(`the ${side} is broken at position ${broken.position}: ${broken.problem}`);
    this.name = 'BrokenLog';
    this.side = side;
    this.broken = broken;
  }
}

/**
 * Copies a log, event for event and in the same order. The target may hold the beginning of the same log, from an earlier
 * copy that ended early: each of its events is compared, and the copy goes on after them. Follows the source to its end,
 * checks each event of it before it is copied, and then checks the whole target, whose digest must be that of the source.
 * @throws ImportRefused, with the target as it was, when it holds anything else; BrokenLog; EventStoreUnavailable.
 */
export async function copyLog({ from, to, signal, onProgress }: CopyLogOptions): Promise<CopiedLog> {
  const check = createLogCheck(from);
  const { seen } = check;
  const options = { hashes: true, batchSize: BATCH_SIZE, ...(signal && { signal }) };
  const found = eventsOf(to.store, options);
  let compared = 0;

  /** The events of the page that are not in the target yet. */
  async function notThere(page: readonly RecordedEvent[]): Promise<readonly RecordedEvent[]> {
    for (const [n, event] of page.entries()) {
      const there = await found.next();
      if (there.done === true) return page.slice(n);
      compared++;
      if (!isSame(event, there.value)) throw otherEvents(compared, isErasureOf(there.value, event));
    }
    return [];
  }

  const report = (doing: CopyProgress['doing'], share: number, events: number): void =>
    onProgress?.({ doing, share, events });
  const end = await from.store.head();
  for await (const { events: page, position } of from.store.readAll({ after: 0n, ...options })) {
    await check.load(page);
    for (const event of page) {
      const broken = check.add(event);
      if (broken !== undefined) throw new BrokenLog('source', broken);
    }
    const left = await notThere(page);
    if (left.length > 0) await to.imported.add(left);
    const share = (Number(position) / Number(end)) * (1 - SHARE_OF_CHECKING);
    report(left.length > 0 ? 'copying' : 'comparing', share, seen.events);
  }
  const brokenEnd = await check.end(signal);
  if (brokenEnd !== undefined) throw new BrokenLog('source', brokenEnd);
  if ((await found.next()).done !== true) throw otherEvents(seen.events + 1);

  const until = await to.store.head();
  const checked = await checkLog({
    ...to,
    until,
    sealed: seen,
    ...(signal && { signal }),
    onProgress: ({ events }) => report('checking', 1 - SHARE_OF_CHECKING * (1 - events / seen.events), events),
  });
  if (checked.broken !== undefined) throw new BrokenLog('target', checked.broken);
  const { events, digest, position } = seen;
  return { events, digest, position, added: events - compared, isBehind: (await from.store.head()) > position };
}

async function* eventsOf(
  store: Pick<EventStore, 'readAll'>,
  options: { readonly hashes: boolean; readonly batchSize: number },
): AsyncGenerator<RecordedEvent, undefined> {
  for await (const { events } of store.readAll({ after: 0n, ...options })) yield* events;
}

/** Whether the two are one event, and recorded in the same way. Positions are those of the stores. */
function isSame(a: RecordedEvent, b: RecordedEvent): boolean {
  return (
    a.id === b.id &&
    a.stream === b.stream &&
    a.revision === b.revision &&
    a.hash === b.hash &&
    a.time.getTime() === b.time.getTime() &&
    contentOf(a) === contentOf(b)
  );
}

/** Whether the text of a copied event was erased in the source after it was copied. */
function isErasureOf(copied: RecordedEvent, event: RecordedEvent): boolean {
  return copied.id === event.id && recordedContentOf(copied) === recordedContentOf(event);
}

function otherEvents(number: number, wasErased = false): ImportRefused {
  if (wasErased)
    return new ImportRefused(
      `The text of event ${number} was erased in the source after it was copied, and the target still has it. Empty the target, and copy again.`,
    );
  return new ImportRefused(
    `The target has other events: its event ${number} is not that of the source. Nothing was copied. Only an empty target can be copied to, or one that an earlier copy of the same log has begun.`,
  );
}
