import { isIPv6 } from 'node:net';

/** Who shares a count. One household has a whole IPv6 /64: counting its single addresses would count nothing. */
export function callerKey(caller: string): string {
  const address = caller.startsWith('ip:') ? caller.slice('ip:'.length) : '';
  if (!isIPv6(address)) return caller;
  // An IPv4 address as a dual-stack socket shows it.
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
