import { isIPv6 } from 'node:net';

/** Addresses that mean "listen on every address". A client cannot connect to them. */
const WILDCARDS = ['0.0.0.0', '::'];

/**
 * The URL, without a slash at its end, at which this machine reaches a server that listens on `host` (undefined: on every
 * address).
 */
export function ownUrl(host: string | undefined, port: number): string {
  if (host === undefined || WILDCARDS.includes(host)) return `http://localhost:${port}`;
  return `http://${isIPv6(host) ? `[${host}]` : host}:${port}`;
}
