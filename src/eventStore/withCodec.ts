import { anySignal, pause } from '../core/abortable.ts';
import type { RecordedEvent } from '../core/event.ts';
import type { EventCodec } from '../core/eventCodec.ts';
import { EventStoreUnavailable, type AppendRequest, type EventBatch, type EventStore } from '../core/eventStore.ts';

const DECODE_AGAIN_AFTER_MS = 200;

/**
 * An event store of decoded events on top of a store of encoded ones: appends are encoded, and what is read is decoded.
 */
export function withCodec(store: EventStore, codec: EventCodec): EventStore {
  const closing = new AbortController();

  /**
   * Decodes, and tries again while the users' keys cannot be read: a subscription survives that. Undefined when the
   * signal aborts.
   */
  async function decodeUntilDone(
    events: readonly RecordedEvent[],
    signal: AbortSignal,
  ): Promise<RecordedEvent[] | undefined> {
    while (!signal.aborted) {
      try {
        return await codec.decode(events);
      } catch (error) {
        if (!(error instanceof EventStoreUnavailable)) throw error;
        await pause(DECODE_AGAIN_AFTER_MS, signal);
      }
    }
    return undefined;
  }

  return {
    append: async (stream, events, expected) => store.append(stream, await codec.encode(events), expected),

    async appendMany(requests) {
      const encode = async (request: AppendRequest): Promise<AppendRequest> => ({
        ...request,
        events: await codec.encode(request.events),
      });
      const encoded = await Promise.allSettled(requests.map(encode));
      const results = await store.appendMany(
        encoded.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])),
      );
      let next = 0;
      return encoded.map((result) => (result.status === 'fulfilled' ? results[next++]! : result));
    },

    async *readStream(stream, options) {
      for await (const event of store.readStream(stream, options)) yield* await codec.decode([event]);
    },

    async *readAll(options): AsyncGenerator<EventBatch> {
      for await (const { events, position } of store.readAll(options))
        yield { events: await codec.decode(events), position };
    },

    async *subscribe(options): AsyncGenerator<EventBatch> {
      const signal = anySignal(closing.signal, options.signal);
      for await (const { events, position } of store.subscribe({ ...options, signal })) {
        const decoded = await decodeUntilDone(events, signal);
        if (decoded === undefined) return;
        yield { events: decoded, position };
      }
    },

    head: () => store.head(),

    positionBefore: (time) => store.positionBefore(time),

    logId: () => store.logId(),

    close: async () => {
      closing.abort();
      await store.close();
    },
  };
}
