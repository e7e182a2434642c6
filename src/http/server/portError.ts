import { StartError } from '../../core/startError.ts';

export interface ListenAddress {
  /** The variable that sets the port. */
  readonly variable: 'PORT' | 'SOCKET_PORT';
  readonly port: number;
  readonly host: string | undefined;
}

/** Turns the system's refusal to listen into a message for the operator. Other errors are returned as they are. */
export function portError(error: unknown, { variable, port, host }: ListenAddress): unknown {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return new StartError(
        `Another program uses port ${port}. Set ${variable} to a free one, e.g. ${variable}=${port + 100} npm start.`,
        { cause: error },
      );
    case 'EACCES':
      return new StartError(
        `This user may not listen on port ${port}. Set ${variable} to one above 1023, e.g. ${variable}=${port + 8_000} npm start.`,
        { cause: error },
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EINVAL':
      return new StartError(`This machine has no address ${host}. Unset HOST to listen on all its addresses.`, {
        cause: error,
      });
    default:
      return error;
  }
}
