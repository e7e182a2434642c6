import type { SharedRedis } from './sharedRedis.ts';

/** Lets exactly one of several processes do a thing within a span of time. */
export interface SharedClaims {
  /**
   * True: nobody else may do it for so many milliseconds. False: another process may. Undefined: Redis cannot say right
   * now, so each process decides alone. Never throws.
   */
  claim(key: string, ms: number): Promise<boolean | undefined>;
}

export function createRedisClaims({ gate, namespace }: Pick<SharedRedis, 'gate' | 'namespace'>): SharedClaims {
  return {
    async claim(key, ms) {
      const answer = await gate.run((redis) => redis.set(`reelstream:${namespace}:${key}`, '1', 'PX', ms, 'NX'));
      return answer === undefined ? undefined : answer !== null;
    },
  };
}

/** For a system without Redis. */
export const noSharedClaims: SharedClaims = { claim: () => Promise.resolve(undefined) };
