import { withTimeout } from '../core/withTimeout.ts';
import { nameHashOf, readAdminStatus, type AdminStatus } from '../features/accounts/index.ts';
import type { Process } from './process.ts';
import type { Services } from './services.ts';

/** A start does not wait longer for what only its welcome text needs (ms). */
const TIMEOUT_MS = 1_000;

/** Undefined when a part that knows does not answer now. */
export async function adminStatus(
  { config, logger }: Pick<Process, 'config' | 'logger'>,
  { store, db, progress, names }: Pick<Services, 'store' | 'db' | 'progress' | 'names'>,
): Promise<AdminStatus | undefined> {
  const { adminEmails } = config;
  const nameHash = nameHashOf({ hmac: names });
  const projected = progress.position('accounts');
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const reading = readAdminStatus({ store, db, nameHash, adminEmails, projected, signal }).catch((error: unknown) => {
    logger.debug({ err: error }, 'whether there is an administrator cannot be read');
    return undefined;
  });
  return withTimeout(reading, TIMEOUT_MS, () => undefined);
}
