/**
 * Turns single look-ups into shared ones: while one read is under way, the keys that others ask for are gathered, and
 * become the next read. Whoever asks gets a read that began after they asked, so it shows what they know to be there.
 */
export function gatherReads<Value>(
  read: (keys: readonly string[]) => Promise<ReadonlyMap<string, Value>>,
): (key: string) => Promise<Value | undefined> {
  let waiting = new Map<string, PromiseWithResolvers<Value | undefined>>();
  let reading = false;

  async function readAll(): Promise<void> {
    reading = true;
    // Those who ask in this turn of the event loop come along.
    await new Promise(setImmediate);
    while (waiting.size > 0) {
      const batch = waiting;
      waiting = new Map();
      try {
        const values = await read([...batch.keys()]);
        for (const [key, { resolve }] of batch) resolve(values.get(key));
      } catch (error) {
        for (const { reject } of batch.values()) reject(error);
      }
    }
    reading = false;
  }

  return (key) => {
    const asked = waiting.get(key) ?? Promise.withResolvers<Value | undefined>();
    waiting.set(key, asked);
    if (!reading) void readAll();
    return asked.promise;
  };
}
