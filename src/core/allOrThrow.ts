/**
 * The values of several pieces of work that run at the same time. It waits for all of them, also when one fails, so that
 * none goes on with what the caller cleans up. @throws the error of the first in the list that failed
 */
export async function allOrThrow<Values extends readonly unknown[]>(work: {
  readonly [K in keyof Values]: Promise<Values[K]>;
}): Promise<Values> {
  await Promise.allSettled(work);
  return (await Promise.all(work)) as unknown as Values;
}
