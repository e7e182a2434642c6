/** Runs a piece of work when its key has its turn. Rejects when the work does. */
export type FairTurns = <T>(key: string, work: () => Promise<T>) => Promise<T>;

/**
 * At most `atOnce` pieces of work run at a time. When more wait, their keys take turns: a key with a thousand waiting
 * pieces delays another key by only one of them. The pieces of one key run in the order in which they arrived.
 * Written by hand, because p-limit and p-queue know one order or priorities, but no turns.
 */
export function createFairTurns(atOnce: number): FairTurns {
  /**
   * The keys in the order of their turns (a Map keeps the order of insertion). A key without waiting work has no queue.
   */
  const queues = new Map<string, (() => void)[]>();
  let free = atOnce;

  function startNext(): void {
    const [next] = queues;
    if (next === undefined) {
      free += 1;
      return;
    }
    const [key, queue] = next;
    const start = queue.shift()!;
    queues.delete(key);
    if (queue.length > 0) queues.set(key, queue);
    start();
  }

  function turnOf(key: string): Promise<void> {
    return new Promise((start) => {
      const queue = queues.get(key);
      if (queue === undefined) queues.set(key, [start]);
      else queue.push(start);
    });
  }

  return async (key, work) => {
    if (free > 0) free -= 1;
    else await turnOf(key);
    try {
      return await work();
    } finally {
      startNext();
    }
  };
}
