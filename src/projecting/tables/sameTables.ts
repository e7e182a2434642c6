import type pg from 'pg';
import { StartError } from '../../core/startError.ts';
import { lockInstalling, readCheckpoints } from '../checkpoints.ts';
import type { Consumer } from '../consumer.ts';
import { inTransaction } from '../transaction.ts';
import { keepFingerprint, readFingerprint } from './storedFingerprint.ts';

/**
 * Refuses tables in place that this program's declaration of the same version would not create: `apply` and the queries
 * would meet columns that do not exist. Tables that were created before there were fingerprints get that of the
 * declaration.
 * @throws StartError
 */
export async function refuseChangedTables(pool: pg.Pool, consumer: Consumer): Promise<void> {
  if (consumer.fingerprint === undefined) return;
  const declared = await consumer.fingerprint();
  const { name, version } = consumer;
  const found = await inTransaction(pool, { schema: name }, async ({ client }) => {
    await lockInstalling(client);
    const inPlace = (await readCheckpoints(client))[0]!.version;
    if (inPlace !== version) return undefined;
    const stored = await readFingerprint(client);
    if (stored === undefined) await keepFingerprint(client, declared);
    return stored;
  });
  if (found === undefined || found === declared) return;
  throw new StartError(
    `The declaration of the projection "${name}" creates other tables than those in place, but its version is still ${version}. Raise its version (in its declaration, or in the list of counts that its declaration takes it from): the next start then builds the new tables beside the old ones.`,
  );
}

/** Whether the half-built tables of a rebuild, or empty ones, are those that the consumer creates. */
export async function hasDeclaredTables(pool: pg.Pool, consumer: Consumer, schema: string): Promise<boolean> {
  if (consumer.fingerprint === undefined) return true;
  const stored = await inTransaction(pool, { schema }, ({ client }) => readFingerprint(client));
  return stored === (await consumer.fingerprint());
}
