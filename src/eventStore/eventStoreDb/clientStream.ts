/** A read or a subscription of the client: a Node stream, of whichever version of the types. */
export interface ClientStream {
  read(): unknown;
  on(event: string, listener: (...values: unknown[]) => void): unknown;
  removeListener(event: string, listener: (...values: unknown[]) => void): unknown;
  resume(): unknown;
  /** Of a read. */
  cancel?(): Promise<void>;
  /** Of a subscription. */
  unsubscribe?(): Promise<unknown>;
}

/** Options of a stream of the client that has it hold so many items ready, and not as many again on its way in. */
export function ahead(items: number): object {
  return { readableHighWaterMark: items };
}

export interface BurstOptions {
  /** Most items in a burst. */
  readonly most: number;
  /** Milliseconds without an item after which an empty burst is given, so that the consumer can look into it. */
  readonly idleMs: number;
  readonly signal?: AbortSignal;
}

/**
 * What a stream of the client has to give, as much of it at a time as is there. Throws what the stream fails with, or
 * the signal's reason. Ends when the stream ends; the client says nothing when it was the server that ended it.
 * However it is left, the call on the server is cancelled too, which leaving a `for await` on the stream is not.
 */
export async function* bursts<Item>(
  stream: ClientStream,
  { most, idleMs, signal }: BurstOptions,
): AsyncGenerator<Item[]> {
  let wake = (_came: boolean): void => undefined;
  let ended = false;
  let failure: unknown;
  const onReadable = (): void => wake(true);
  const onEnd = (): void => {
    ended = true;
    wake(true);
  };
  // The client goes on emitting errors after the first, also when nobody reads any more: this listener stays.
  stream.on('error', (error) => {
    failure ??= error;
    wake(true);
  });
  stream.on('readable', onReadable);
  stream.on('end', onEnd);
  stream.on('close', onEnd);
  signal?.addEventListener('abort', onReadable);
  try {
    for (;;) {
      signal?.throwIfAborted();
      const burst: Item[] = [];
      for (let item = stream.read(); item !== null; item = stream.read()) {
        if (burst.push(item as Item) === most) break;
      }
      if (burst.length > 0) yield burst;
      else if (failure !== undefined) throw failure;
      else if (ended) return;
      else {
        const { promise, resolve } = Promise.withResolvers<boolean>();
        wake = resolve;
        const timer = setTimeout(resolve, idleMs, false);
        const came = await promise;
        clearTimeout(timer);
        if (!came) yield [];
      }
    }
  } finally {
    signal?.removeEventListener('abort', onReadable);
    // Either waits for a connection first, which may never come about.
    (stream.unsubscribe?.() ?? stream.cancel?.())?.catch(() => undefined);
    // What has arrived already must flow off, or the client keeps the call for ever, and `dispose` waits for its end.
    stream.removeListener('readable', onReadable);
    stream.resume();
  }
}
