import { isIPv6 } from 'node:net';

/** Every address; none that one could connect to. */
const WILDCARDS = ['0.0.0.0', '::'];

/** Where this machine finds a server that listens on `host`, every address when undefined. Without a slash at its end. */
export function ownUrl(host: string | undefined, port: number): string {
  if (host === undefined || WILDCARDS.includes(host)) return `http://localhost:${port}`;
  return `http://${isIPv6(host) ? `[${host}]` : host}:${port}`;
}
