/**
 * Answers as `promise` does, or, when it has not settled after `ms`, as `onTimeout` does: with what it returns, or with
 * the error that it throws. What the promise does later is ignored; it is not cancelled.
 */
export async function withTimeout<T, Late>(promise: Promise<T>, ms: number, onTimeout: () => Late): Promise<T | Late> {
  if (ms === Infinity) return promise;
  let timer: NodeJS.Timeout | undefined;
  let lastChance: NodeJS.Immediate | undefined;
  const late = new Promise<Late>((resolve, reject) => {
    const giveUp = (): void => {
      try {
        resolve(onTimeout());
      } catch (error) {
        reject(error as Error);
      }
    };
    // Timers run before sockets are read. An answer that has already arrived is read first: this process may be late, not
    // the other side.
    timer = setTimeout(() => (lastChance = setImmediate(giveUp)), Math.max(1, ms));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
    clearImmediate(lastChance);
  }
}
