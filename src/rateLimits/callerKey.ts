import { isIPv6 } from 'node:net';
import { clientNetwork, ipv4Of } from '../core/clientNetwork.ts';

/**
 * The key under which a caller (`user:…`, `ip:…`) is counted. Addresses of one client network share a count: a caller could
 * otherwise use a new address of its /64 for each request.
 */
export function callerKey(caller: string): string {
  const address = caller.startsWith('ip:') ? caller.slice('ip:'.length) : '';
  if (!address.includes(':')) return caller;
  const ipv4 = ipv4Of(address);
  if (ipv4 !== undefined) return `ip:${ipv4}`;
  return isIPv6(address) ? `ip:${clientNetwork(address)}::/64` : caller;
}
