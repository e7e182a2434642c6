import { pino, type DestinationStream, type Logger, type LevelWithSilent } from 'pino';

/**
 * Fields that are never logged, up to three levels deep in an object. A second line of defence: no code should log these fields
 * in the first place.
 */
const SECRET_FIELDS = [
  'password',
  'passwordHash',
  'accessToken',
  'refreshToken',
  'token',
  'authorization',
  'cookie',
  '["set-cookie"]',
  'email',
  'username',
];

/**
 * Fields of errors with the data that failed. An error of Redis has its command: when Redis refused the password, that command
 * contains the password. An error of PostgreSQL has the values of a row, and the statement.
 */
const FIELDS_OF_ERRORS = ['err.command.args', 'err.detail', 'err.where', 'err.internalQuery'];

export interface LoggerOptions {
  readonly level: LevelWithSilent;
  /** The role of the process: `serve`, `api`, `projector`… */
  readonly role: string;
  /** Standard output by default. */
  readonly destination?: DestinationStream | undefined;
}

/**
 * Where a role's logger writes to: lines for people on a terminal, and otherwise what `createLogger` does by default.
 * @param format `LOG_FORMAT`
 */
export async function loggerOutput(format: 'json' | 'pretty' | undefined): Promise<DestinationStream | undefined> {
  const { isTTY } = process.stdout;
  if (!(format === undefined ? isTTY : format === 'pretty')) return undefined;
  const { default: pretty } = await import('pino-pretty');
  // Synchronous, as pino itself is: the last lines before an exit must not be lost.
  return pretty({ colorize: isTTY, translateTime: 'SYS:HH:MM:ss.l', ignore: 'pid,role', singleLine: true, sync: true });
}

/** Writes JSON lines. The logger is passed as an argument; no module imports one. */
export function createLogger({ level, role, destination }: LoggerOptions): Logger {
  const options = {
    level,
    base: { role, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string): object => ({ level: label }) },
    redact: { paths: [...SECRET_FIELDS.flatMap((field) => pathsOf(field)), ...FIELDS_OF_ERRORS], censor: '[redacted]' },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

function pathsOf(field: string): string[] {
  const dot = field.startsWith('[') ? '' : '.';
  return [field, `*${dot}${field}`, `*.*${dot}${field}`];
}
