import DataLoader from 'dataloader';

/**
 * Turns single look-ups into shared ones. While one read is under way, the keys that are asked for meanwhile are gathered
 * and become the next read. So a read always begins after the call that it answers, and shows what the caller knows to
 * have happened; nothing is cached.
 */
export function gatherReads<Value>(
  read: (keys: readonly string[]) => Promise<ReadonlyMap<string, Value>>,
): (key: string) => Promise<Value | undefined> {
  let reading: Promise<void> | undefined;

  async function readAll(keys: readonly string[]): Promise<(Value | undefined)[]> {
    const result = read([...new Set(keys)]);
    const end = (): void => void (reading = undefined);
    reading = result.then(end, end);
    const values = await result;
    return keys.map((key) => values.get(key));
  }

  const loader = new DataLoader(readAll, {
    cache: false,
    batchScheduleFn: (dispatch) => {
      // The first read also answers what is asked for in the same turn of the event loop.
      if (reading === undefined) setImmediate(dispatch);
      else void reading.then(dispatch);
    },
  });
  return (key) => loader.load(key);
}
