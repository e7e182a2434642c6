import { pino, type DestinationStream, type Logger, type LevelWithSilent } from 'pino';

/** Fields that never reach a log, up to three levels deep in an object. A second line of defence: no code should log them in the first place. */
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

/** An error of Redis holds the command that failed: when the password was refused, that command has it. */
const COMMAND_ARGUMENTS = 'err.command.args';

export interface LogOptions {
  readonly level: LevelWithSilent;
  /** Which process speaks: `serve`, `api`, `projector`… */
  readonly role: string;
  /** Standard output by default. */
  readonly destination?: DestinationStream;
}

/** JSON lines. The caller passes the logger on; nothing imports one. */
export function createLog({ level, role, destination }: LogOptions): Logger {
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
