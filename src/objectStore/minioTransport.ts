import http from 'node:http';
import https from 'node:https';
import { ObjectStoreUnavailable } from './objectStore.ts';

type Transport = Pick<typeof http, 'request'>;

/**
 * A transport for the MinIO client, which has no timeout of its own: a request over which no byte has moved for
 * `timeout` milliseconds is given up, be it connecting, sending, waiting or receiving.
 */
export function impatientTransport(useSSL: boolean, timeout: number): { transport: Transport; agent: http.Agent } {
  const protocol = useSSL ? https : http;
  const agent = new protocol.Agent({ keepAlive: true, maxSockets: 64, timeout });
  const request = ((options: http.RequestOptions, callback?: (response: http.IncomingMessage) => void) => {
    const made = protocol.request({ ...options, timeout }, callback);
    made.on('timeout', () => made.destroy(tooSlow(timeout)));
    return made;
  }) as typeof http.request;
  return { transport: { request }, agent };
}

/** An upper bound for operations that are short when all is well. */
export async function within<T>(timeout: number, operation: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      operation,
      new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => reject(tooSlow(timeout)), timeout);
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}

function tooSlow(timeout: number): ObjectStoreUnavailable {
  return new ObjectStoreUnavailable(`the object store did not answer within ${timeout} ms`);
}
