import pLimit from 'p-limit';

/**
 * Makes many calls share few runs of `work`, one run at a time. Each call gets a run that begins after the call: those
 * that come during a run share the next one.
 */
export function coalesced<T>(work: () => Promise<T>): () => Promise<T> {
  const oneAtATime = pLimit(1);
  let next: Promise<T> | undefined;
  return () =>
    (next ??= oneAtATime(() => {
      next = undefined;
      return work();
    }));
}
