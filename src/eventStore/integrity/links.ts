import { LRUCache } from 'lru-cache';
import pLimit from 'p-limit';
import type { RecordedEvent } from '../../core/event.ts';
import type { EventStore } from '../../core/eventStore.ts';

/** Streams whose last link is kept in memory: about 60 MB. Others are read again when their next event comes. */
const MOST_STREAMS = 200_000;
const LOOK_UPS_AT_ONCE = 8;

/** An event, as the check of the next event of its stream needs it. */
export type Link = Pick<RecordedEvent, 'revision' | 'position' | 'hash'>;

/** The last event that was checked of each stream. */
export interface Links {
  /** Makes `before` answer for these events, which follow each other in the log. */
  load(events: readonly RecordedEvent[]): Promise<void>;
  /** The event before this one in its stream; undefined when there is none. Its revision may be any when one is missing. */
  before(event: RecordedEvent): Link | undefined;
  add(event: RecordedEvent): void;
}

export function createLinks(store: Pick<EventStore, 'readStream'>, mostStreams = MOST_STREAMS): Links {
  const links = new LRUCache<string, Link>({ max: mostStreams });

  async function lookUp({ stream, revision }: RecordedEvent): Promise<void> {
    for await (const before of store.readStream(stream, { from: revision - 1, hashes: true })) {
      if (before.revision < revision) links.set(stream, linkOf(before));
      return;
    }
  }

  return {
    async load(events) {
      const firsts = new Map<string, RecordedEvent>();
      for (const event of events) if (!firsts.has(event.stream)) firsts.set(event.stream, event);
      const unknown = [...firsts.values()].filter(({ stream, revision }) => revision > 0 && !links.has(stream));
      await pLimit(LOOK_UPS_AT_ONCE).map(unknown, lookUp);
    },
    before: ({ stream }) => links.get(stream),
    add: (event) => void links.set(event.stream, linkOf(event)),
  };
}

function linkOf({ revision, position, hash }: RecordedEvent): Link {
  return { revision, position, ...(hash !== undefined && { hash }) };
}
