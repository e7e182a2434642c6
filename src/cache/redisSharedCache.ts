import type { RedisGate } from './redisGate.ts';
import type { SharedCache } from './sharedCache.ts';

export interface RedisSharedCacheOptions {
  readonly gate: RedisGate;
  /** Names the event log of the answers. Two logs may use the same Redis, but must not share answers. */
  readonly namespace: string;
}

const HEADER = /^(\d{1,19}(?:,\d{1,19})*|) ([01])$/;
const NEWLINE = 0x0a;

/**
 * Answers in Redis, as `<position>,<position>… <0|1>\n<bytes>`. The stamp is stored with the answer, so that a process never uses an
 * answer from a process that is behind it. Only the clock of Redis decides when an answer expires.
 */
export function createRedisSharedCache({ gate, namespace }: RedisSharedCacheOptions): SharedCache {
  const keyOf = (key: string): string => `reelstream:${namespace}:cache:${key}`;
  return {
    async read(key) {
      const answers = await gate.run((redis) => redis.multi().getBuffer(keyOf(key)).pttl(keyOf(key)).exec());
      const [value, msLeft] = (answers ?? []).map(([, answer]) => answer) as [(Buffer | null)?, number?];
      if (!value || msLeft === undefined || msLeft <= 0) return undefined;
      const headerEnd = value.indexOf(NEWLINE);
      const [, stamp, present] = HEADER.exec(value.toString('latin1', 0, headerEnd)) ?? [];
      if (stamp === undefined) return undefined;
      const positions = stamp === '' ? [] : stamp.split(',').map(BigInt);
      return { bytes: present === '1' ? value.subarray(headerEnd + 1) : undefined, stamp: positions, msLeft };
    },
    write(key, { bytes, stamp, msLeft }) {
      const header = Buffer.from(`${stamp.join(',')} ${bytes === undefined ? 0 : 1}\n`);
      const value = bytes === undefined ? header : Buffer.concat([header, bytes]);
      void gate.run((redis) => redis.set(keyOf(key), value, 'PX', Math.max(1, Math.floor(msLeft))));
    },
  };
}
