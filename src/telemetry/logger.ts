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

/** An error of Redis contains the failed command. When Redis refused the password, that command contains the password. */
const COMMAND_ARGUMENTS = 'err.command.args';

export interface LoggerOptions {
  readonly level: LevelWithSilent;
  /** The role of the process: `serve`, `api`, `projector`… */
  readonly role: string;
  /** Standard output by default. */
  readonly destination?: DestinationStream;
}

/** Writes JSON lines. The logger is passed as an argument; no module imports one. */
export function createLogger({ level, role, destination }: LoggerOptions): Logger {
  const options = {
    level,
    base: { role, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string): object => ({ level: label }) },
    redact: { paths: [...SECRET_FIELDS.flatMap((field) => pathsOf(field)), COMMAND_ARGUMENTS], censor: '[redacted]' },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

function pathsOf(field: string): string[] {
  const dot = field.startsWith('[') ? '' : '.';
  return [field, `*${dot}${field}`, `*.*${dot}${field}`];
}
