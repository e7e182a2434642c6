import { pino, type Logger } from 'pino';

/** Milliseconds after which a failure that goes on unchanged is logged again. */
const REMIND_MS = 60_000;

/** Logs a failure of something that is tried again until it works. */
export type FailureLog = (error: unknown, message: string) => void;

/**
 * An outage makes every attempt fail in the same way. It is one line, with the reason, when it begins or its reason changes,
 * and one each minute while it goes on. Each failure, with its stack, is logged at `debug`.
 */
export function createFailureLog(log: Logger, level: 'warn' | 'error' = 'warn'): FailureLog {
  let last: { readonly line: string; readonly at: number } | undefined;
  return (error, message) => {
    // With the messages and stacks of its causes; without other fields, since an error of PostgreSQL carries the failing row.
    const { message: reason, stack } =
      error instanceof Error ? pino.stdSerializers.err(error) : { message: String(error), stack: undefined };
    log.debug({ reason, stack }, message);
    const line = `${message} ${reason}`;
    const now = performance.now();
    if (line === last?.line && now - last.at < REMIND_MS) return;
    last = { line, at: now };
    log[level]({ reason }, message);
  };
}
