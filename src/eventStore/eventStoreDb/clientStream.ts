/** A read or a subscription of the client: a Node stream. This type fits all versions of the client's types. */
export interface ClientStream {
  read(): unknown;
  on(event: string, listener: (...values: unknown[]) => void): unknown;
  removeListener(event: string, listener: (...values: unknown[]) => void): unknown;
  resume(): unknown;
  /** Reads have this method. */
  cancel?(): Promise<void>;
  /** Subscriptions have this method. */
  unsubscribe?(): Promise<unknown>;
}

/** Options that make a stream of the client buffer this many items, and no second buffer of the same size before it. */
export function buffering(items: number): object {
  return { readableHighWaterMark: items };
}

export interface ChunkOptions {
  /** Most items in a chunk. */
  readonly most: number;
  /** Milliseconds without an item after which an empty chunk is given, so that the consumer can check the server. */
  readonly idleMs: number;
  readonly signal?: AbortSignal;
}

/**
 * The items of a stream of the client, in chunks of all that have arrived. Throws the stream's error or the signal's
 * reason. Ends when the stream ends; the client does not say whether the server ended it.
 *
 * However the consumer leaves, the call on the server is cancelled. A `for await` on the stream itself would leave the
 * call open.
 */
export async function* chunks<Item>(
  stream: ClientStream,
  { most, idleMs, signal }: ChunkOptions,
): AsyncGenerator<Item[]> {
  let wake = (_came: boolean): void => undefined;
  let ended = false;
  let failure: unknown;
  const onReadable = (): void => wake(true);
  const onEnd = (): void => {
    ended = true;
    wake(true);
  };
  // This listener stays: the client emits more errors after the first, even when nobody reads any more.
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
      const chunk: Item[] = [];
      for (let item = stream.read(); item !== null; item = stream.read()) {
        if (chunk.push(item as Item) === most) break;
      }
      if (chunk.length > 0) yield chunk;
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
    // Not awaited: both wait for a connection first, which may never come.
    (stream.unsubscribe?.() ?? stream.cancel?.())?.catch(() => undefined);
    // Discards what has arrived. Otherwise the client keeps the call for ever, and its `dispose` waits for the call's
    // end.
    stream.removeListener('readable', onReadable);
    stream.resume();
  }
}
