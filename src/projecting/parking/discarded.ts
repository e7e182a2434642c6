import type { ApplyOptions } from '../applyBatch.ts';

/** Reads the positions of the events that operators have discarded for a consumer. They are never applied to its rows. */
export type ReadDiscarded = (consumer: string) => Promise<ReadonlySet<bigint>>;

/**
 * Reads the discarded events once, for all batches of a run. Events that are discarded during the run are behind its
 * checkpoint: live delivery does not meet them again, and nothing is discarded during a rebuild.
 */
export async function withDiscardedRead<Options extends Pick<ApplyOptions, 'consumer' | 'discarded'>>(
  options: Options,
): Promise<Options> {
  const discarded = await options.discarded(options.consumer.name);
  return { ...options, discarded: () => Promise.resolve(discarded) };
}
