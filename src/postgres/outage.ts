/**
 * Whether an error of `pg` means that the server was unavailable or overloaded, or has cancelled the statement. The same statement
 * may work later. After such an error it is unknown whether the statement took effect.
 * Source of the codes: PostgreSQL documentation, appendix A.
 */
export function isOutage(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code !== 'string') return typeof message === 'string' && connectionMessages.test(message);
  // ECONNREFUSED, EPIPE, ENOTFOUND …; no SQLSTATE begins with E.
  if (code.startsWith('E')) return true;
  return transientClasses.has(code.slice(0, 2)) || transientCodes.has(code);
}

/** Messages of `pg` and `pg-pool`, without a code, when a connection is lost or a timeout has passed. */
const connectionMessages =
  /^(Connection terminated|Client has encountered a connection error|Client was closed|timeout e|Query read timeout)/;

const transientClasses = new Set([
  '08', // connection exception
  '53', // insufficient resources
  '57', // operator intervention: shutdown, cannot connect now, query cancelled
  '58', // system error
]);

const transientCodes = new Set([
  '25006', // read-only transaction: the server became a standby
  '40001', // serialization failure
  '40P01', // deadlock
  '55P03', // lock not available
]);
