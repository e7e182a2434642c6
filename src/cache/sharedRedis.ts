import type { Redis } from 'ioredis';
import type { RedisGate } from './redisGate.ts';

/** A Redis that several processes of one system use, and perhaps other systems too. */
export interface SharedRedis {
  readonly client: Redis;
  readonly gate: RedisGate;
  /** Tells the keys of one system from those of another that uses the same Redis. */
  readonly namespace: string;
}
