import { isIPv6 } from 'node:net';

/**
 * The key under which a caller is counted. One household has a whole IPv6 /64, so all addresses of a /64 share one count: a
 * caller could otherwise use a new address for each request.
 */
export function callerKey(caller: string): string {
  const address = caller.startsWith('ip:') ? caller.slice('ip:'.length) : '';
  if (!isIPv6(address)) return caller;
  // The form that an IPv4 address has on a dual-stack socket.
  const embedded = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  return embedded === undefined ? `ip:${network(address)}` : `ip:${embedded}`;
}

function network(address: string): string {
  const [head = '', tail] = address.split('::', 2);
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const middle = tail === undefined ? [] : Array<string>(8 - left.length - right.length).fill('0');
  const groups = [...left, ...middle, ...right].slice(0, 4);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}
