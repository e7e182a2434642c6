import { isIPv6 } from 'node:net';
import { clientNetwork, ipv4Of } from '../core/clientNetwork.ts';

/** Addresses whose keys are remembered. */
const MOST = 1_000;
const known = new Map<string, string>();

/**
 * The key under which callers without a user are counted. Addresses of one client network share a count: a caller could otherwise use
 * a new address of its /64 for each request. Keys are remembered, since every request asks for one.
 */
export function addressKey(address: string): string {
  let key = known.get(address);
  if (key === undefined) {
    if (known.size === MOST) known.clear();
    known.set(address, (key = `ip:${networkOf(address)}`));
  }
  return key;
}

function networkOf(address: string): string {
  const ipv4 = ipv4Of(address);
  if (ipv4 !== undefined) return ipv4;
  return isIPv6(address) ? `${clientNetwork(address)}::/64` : address;
}
