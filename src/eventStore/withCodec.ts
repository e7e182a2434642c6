import { pause } from '../core/abortable.ts';
import type { RecordedEvent } from '../core/event.ts';
import type { EventCodec } from '../core/eventCodec.ts';
import { EventStoreUnavailable, type AppendRequest, type EventBatch, type EventStore } from '../core/eventStore.ts';

const DECODE_AGAIN_AFTER_MS = 200;

/** An event store that takes and gives events as the domain knows them, on top of one that holds them as they lie in the log. */
export function withCodec(store: EventStore, codec: EventCodec): EventStore {
  const closing = new AbortController();

  /** Keys may be out of reach for a while; a subscription survives that, as it survives the log being out of reach. */
  async function decodePatiently(
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
      const signal = options.signal === undefined ? closing.signal : AbortSignal.any([options.signal, closing.signal]);
      for await (const { events, position } of store.subscribe({ ...options, signal })) {
        const decoded = await decodePatiently(events, signal);
        if (decoded === undefined) return;
        yield { events: decoded, position };
      }
    },

    head: () => store.head(),

    close: async () => {
      closing.abort();
      await store.close();
    },
  };
}
