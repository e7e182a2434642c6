import { pause } from '../../core/abortable.ts';
import type { RecordedEvent } from '../../core/event.ts';
import { ImportRefused, type EventImport } from '../../core/eventImport.ts';
import { createAppendOnce } from './appendOnce.ts';
import { categoryOf, refusalIn } from './clientErrors.ts';
import { toCopied } from './clientEvents.ts';
import { connectEventStoreDb } from './connection.ts';
import { createFindEvents } from './findEvents.ts';
import { placeIn } from './repeatSearch.ts';
import { retried } from './retry.ts';

const TIMEOUT_MS = 3_000;
/** A cluster elects a leader within seconds, and nobody waits for an answer. */
const RETRY_FOR_MS = 30_000;
/** An append has at most so many events, and bytes of data: a server up to 25.0 takes 1 MiB. */
const MOST_EVENTS = 500;
const MOST_BYTES = 900_000;
/** For so long (ms), a server may hide what it has written but not indexed (`idempotentAppends.ts`). */
const LONGEST_INDEX_LAG_MS = 2_000;
const CHECK_AGAIN_MS = 50;

/**
 * Adds events of another log. The server gives them its own times, so theirs are in their metadata, and readers get
 * them from there.
 *
 * One append is under way at a time, because the server does not keep the order of several. Events of one stream that
 * follow each other share an append.
 * @throws when the URL is not a connection string.
 */
export function createEventStoreDbImport(url: string): EventImport {
  const connection = connectEventStoreDb(url);
  const appendOnce = createAppendOnce(connection, TIMEOUT_MS);
  const findEvents = createFindEvents(connection, TIMEOUT_MS, { saw: () => undefined });

  async function isThere(stream: string, events: readonly RecordedEvent[]): Promise<boolean> {
    const ids = events.map(({ id }) => id);
    for (const begun = performance.now(); ; await pause(CHECK_AGAIN_MS)) {
      const place = placeIn(await findEvents(stream, ids, ids.length), ids, stream);
      if (place !== undefined) return place.revision === events.at(-1)!.revision;
      if (performance.now() - begun > LONGEST_INDEX_LAG_MS) return false;
    }
  }

  async function append(events: readonly RecordedEvent[]): Promise<void> {
    const { stream, revision } = events[0]!;
    const expected = revision === 0 ? 'none' : revision - 1;
    await retried({ what: `an append to ${categoryOf(stream)}`, retryForMs: RETRY_FOR_MS }, async () => {
      const outcome = await appendOnce(stream, events.map(toCopied), expected).catch((error: unknown) => {
        throw refusalIn(error, stream) ?? error;
      });
      // An earlier try may have written them.
      if (outcome === 'unclear' && !(await isThere(stream, events)))
        throw new ImportRefused('Something else writes to the target. Stop it, and run the command again.');
    });
  }

  return {
    add: async (events) => {
      for (const run of runsOf(events)) await append(run);
    },
    close: () => connection.close(),
  };
}

/** Neighbours of one stream, as one append takes them. */
function* runsOf(events: readonly RecordedEvent[]): Generator<readonly RecordedEvent[]> {
  let run: RecordedEvent[] = [];
  let bytes = 0;
  for (const event of events) {
    const size = JSON.stringify([event.data, event.metadata]).length;
    const continues = event.stream === run[0]?.stream && run.length < MOST_EVENTS && bytes + size <= MOST_BYTES;
    if (!continues && run.length > 0) {
      yield run;
      [run, bytes] = [[], 0];
    }
    run.push(event);
    bytes += size;
  }
  if (run.length > 0) yield run;
}
