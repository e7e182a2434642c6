import { StartError } from '../../core/startError.ts';
import type { Checkpoint } from '../checkpoints.ts';

/**
 * Refuses read models that were made from another log than the connected one, or from events that this log no longer
 * has: the rows would mix two histories, or wait for ever for positions that were already applied.
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
  const remedy = `Point EVENTSTORE_URL and DATABASE_URL at a log and a database that belong together, or drop the schema "${name}" so that it is built again from the log.`;
  if (logId !== null && logId !== log.id) {
    throw new StartError(`The read model "${name}" was made from another event log than the connected one. ${remedy}`);
  }
  if (position > log.head) {
    throw new StartError(
      `The read model "${name}" is at position ${position}, but the event log ends at ${log.head}: the log has lost events, or it is another log. ${remedy}`,
    );
  }
}
