import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Whether a request may read what only operators need: the metrics and the components in `/health`. */
export type MonitoringAccess = (request: IncomingMessage) => boolean;

export interface MonitoringAccessOptions {
  readonly production: boolean;
  /** `MONITORING_TOKEN`. */
  readonly token: string | undefined;
}

/** Open outside production while no token is set. Otherwise only for this machine and for requests with the token. */
export function createMonitoringAccess({ production, token }: MonitoringAccessOptions): MonitoringAccess {
  if (!production && token === undefined) return () => true;
  const wanted = token === undefined ? undefined : digest(`Bearer ${token}`);
  return (request) => {
    const { authorization } = request.headers;
    if (wanted !== undefined && authorization !== undefined && timingSafeEqual(digest(authorization), wanted))
      return true;
    return isLocal(request);
  };
}

const LOOPBACK = /^(?:::ffff:)?127\.|^::1$/;

/** A proxy on this machine also connects from loopback; what it forwards is not local. */
function isLocal({ socket, headers }: IncomingMessage): boolean {
  const forwarded = headers['x-forwarded-for'] ?? headers['forwarded'] ?? headers['x-real-ip'] ?? headers['via'];
  return forwarded === undefined && LOOPBACK.test(socket.remoteAddress ?? '');
}

/** `timingSafeEqual` needs inputs of one length. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
