import http from 'node:http';
import https from 'node:https';
import { ObjectStoreUnavailable } from './objectStore.ts';

type Transport = Pick<typeof http, 'request'>;

/**
 * A transport for the MinIO client, which has no timeouts. A request fails when no byte has moved for `timeout` milliseconds, while it
 * connects, sends, waits or receives.
 */
export function transportWithTimeout(useSSL: boolean, timeout: number): { transport: Transport; agent: http.Agent } {
  const protocol = useSSL ? https : http;
  const agent = new protocol.Agent({ keepAlive: true, maxSockets: 64, timeout });
  const request = ((options: http.RequestOptions, callback?: (response: http.IncomingMessage) => void) => {
    const made = protocol.request({ ...options, timeout }, callback);
    made.on('timeout', () => made.destroy(tooSlow(timeout)));
    return made;
  }) as typeof http.request;
  return { transport: { request }, agent };
}

export function tooSlow(timeout: number): ObjectStoreUnavailable {
  return new ObjectStoreUnavailable(`the object store did not answer within ${timeout} ms`);
}
