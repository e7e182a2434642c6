import { StartError } from '../../core/startError.ts';
import type { Checkpoint } from '../checkpoints.ts';

/**
 * Refuses a database whose read models were made from another log than the one at hand, or from more of it than there
 * is: going on would mix two histories, or wait for ever for positions that have passed.
 * @throws StartError
 */
export function refuseAnotherLog(
  name: string,
  checkpoints: readonly Checkpoint[],
  log: { id: string | null; head: bigint },
): void {
  const position = checkpoints.reduce(
    (most, checkpoint) => (checkpoint.position > most ? checkpoint.position : most),
    0n,
  );
  if (position === 0n) return;
  const logId = checkpoints.find((checkpoint) => checkpoint.logId !== null)?.logId ?? null;
  const remedy = `Point EVENTSTORE_URL and DATABASE_URL at a log and a database that belong together, or drop the schema "${name}" so that it is built anew.`;
  if (logId !== null && logId !== log.id) {
    throw new StartError(`The read model "${name}" was made from another event log than the one at hand. ${remedy}`);
  }
  if (position > log.head) {
    throw new StartError(
      `The read model "${name}" is at position ${position}, but the event log ends at ${log.head}: the log has lost events, or is another one. ${remedy}`,
    );
  }
}
