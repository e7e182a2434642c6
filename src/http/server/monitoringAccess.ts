import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Whether a request may read what is for operators: the metrics, and the parts behind `/health`. */
export type MonitoringAccess = (request: IncomingMessage) => boolean;

export interface MonitoringAccessOptions {
  readonly production: boolean;
  /** `MONITORING_TOKEN`. */
  readonly token: string | undefined;
}

/** Open while there is neither production nor a token; otherwise for this machine and for those who send the token. */
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

/** Digests have one length, as a comparison in constant time needs it. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
