import { isIPv6 } from 'node:net';
import { clientNetwork, ipv4Of } from '../core/clientNetwork.ts';

const IP = 'ip:';

/**
 * The key under which a caller (`user:…`, `ip:…`) is counted. Addresses of one client network share a count: a caller could
 * otherwise use a new address of its /64 for each request.
 */
export function callerKey(caller: string): string {
  if (!caller.startsWith(IP) || !caller.includes(':', IP.length)) return caller;
  const address = caller.slice(IP.length);
  const ipv4 = ipv4Of(address);
  if (ipv4 !== undefined) return `${IP}${ipv4}`;
  return isIPv6(address) ? `${IP}${clientNetwork(address)}::/64` : caller;
}
