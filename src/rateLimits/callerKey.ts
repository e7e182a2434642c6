import { isIPv6 } from 'node:net';
import { clientNetwork } from '../core/clientNetwork.ts';

/**
 * The key under which a caller (`user:…`, `ip:…`) is counted. Addresses of one client network share a count: a caller could
 * otherwise use a new address of its /64 for each request.
 */
export function callerKey(caller: string): string {
  const address = caller.startsWith('ip:') ? caller.slice('ip:'.length) : '';
  if (!address.includes(':') || !isIPv6(address)) return caller;
  const network = clientNetwork(address);
  return network.includes(':') ? `ip:${network}::/64` : `ip:${network}`;
}
