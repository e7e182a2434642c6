import { dropEndedSecrets, hasEndedSecrets } from '../config/rotateSecrets.ts';
import { createFailureLog } from '../telemetry/failureLog.ts';
import type { Process } from './process.ts';

/** A rotation tells nobody, and reading the state of one file costs microseconds (ms). */
const EVERY_MS = 1_000;

/**
 * While the process runs: secrets that were replaced in the data folder are used within a second, and earlier ones are
 * removed from the file once they are no longer accepted.
 */
export function followSecrets({ config, logger, parts }: Pick<Process, 'config' | 'logger' | 'parts'>): void {
  const { secrets, dataDir } = config;
  if (secrets.kept.length === 0) return;
  const failed = createFailureLog(logger);
  let removing = removeEnded();
  let seen = secrets.jwt.keys();
  const timer = setInterval(() => {
    secrets.jwt.refresh();
    // Another array after each change, also when an invalid token has led to it.
    if (secrets.jwt.keys() === seen) return;
    seen = secrets.jwt.keys();
    removing = removing.then(removeEnded);
  }, EVERY_MS);
  timer.unref();
  parts.defer(async () => {
    clearInterval(timer);
    await removing;
  });

  async function removeEnded(): Promise<void> {
    try {
      if (hasEndedSecrets(dataDir)) await dropEndedSecrets(dataDir);
    } catch (error) {
      failed(error, 'secrets that are no longer accepted cannot be removed from the data folder');
    }
  }
}
