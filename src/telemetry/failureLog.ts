import { pino, type Logger } from 'pino';

/** A failure that continues unchanged is logged again after this time (ms). */
const REMIND_MS = 60_000;

/** Logs a failure of something that is retried until it works. */
export type FailureLog = (error: unknown, message: string) => void;

/**
 * During an outage every attempt fails in the same way. One line with the reason is logged when the outage begins, when its reason
 * changes, and once a minute while it continues. Each failure is also logged at `debug`, with its stack.
 */
export function createFailureLog(logger: Logger, level: 'warn' | 'error' = 'warn'): FailureLog {
  let last: { readonly line: string; readonly at: number } | undefined;
  return (error, message) => {
    // Includes the messages and stacks of its causes. Excludes other fields, since an error of PostgreSQL contains the failing row.
    const { message: reason, stack } =
      error instanceof Error ? pino.stdSerializers.err(error) : { message: String(error), stack: undefined };
    logger.debug({ reason, stack }, message);
    const line = `${message} ${reason}`;
    const now = performance.now();
    if (line === last?.line && now - last.at < REMIND_MS) return;
    last = { line, at: now };
    logger[level]({ reason }, message);
  };
}
