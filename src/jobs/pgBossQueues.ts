import type { PgBoss } from 'pg-boss';
import type { Queue } from './queue.ts';

/** The queue of jobs that failed as often as they may, and wait to be given up. */
export function deadLettersOf({ name }: Queue): string {
  return `${name}-dead`;
}

/** The names in pg-boss that belong to a queue. */
export function namesOf(queue: Queue): string[] {
  return queue.givesUp ? [queue.name, deadLettersOf(queue)] : [queue.name];
}

/** Creates a queue, or gives it the options that its declaration has now. */
export async function createQueue(boss: PgBoss, queue: Queue): Promise<void> {
  const { retries, heartbeatSeconds, timeoutSeconds } = queue;
  const options = {
    retryLimit: retries.limit,
    retryDelay: retries.delaySeconds,
    retryBackoff: true,
    retryDelayMax: retries.maxDelaySeconds,
    heartbeatSeconds,
    expireInSeconds: timeoutSeconds,
    notify: true,
    deleteAfterSeconds: 24 * 3600,
  };
  const dead = queue.givesUp ? deadLettersOf(queue) : undefined;
  if (dead !== undefined) {
    await boss.createQueue(dead, options);
    await boss.updateQueue(dead, options);
  }
  await boss.createQueue(queue.name, { ...options, ...(dead !== undefined && { deadLetter: dead }) });
  await boss.updateQueue(queue.name, { ...options, deadLetter: dead ?? null });
}

/** @throws when two features brought queues of one name: each would run the other's jobs. */
export function refuseSameNames(queues: readonly Queue[]): void {
  const names = queues.flatMap(namesOf);
  const twice = names.find((name, n) => names.indexOf(name) < n);
  if (twice !== undefined) throw new Error(`two queues are named ${twice}: rename the newer one`);
}
