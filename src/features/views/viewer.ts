import { createHmac } from 'node:crypto';

/** Who looked: a user, else the address that the request came from. */
export interface Viewer {
  readonly userId?: string | undefined;
  readonly address: string;
}

/**
 * The name under which a viewer is in the log. An address is personal and easily guessed from its plain hash, so it is
 * hashed under a secret; and one household has a whole IPv6 /64.
 */
export function viewerName({ userId, address }: Viewer, secret: string): string {
  if (userId !== undefined) return `user:${userId}`;
  return `addr:${createHmac('sha256', secret).update(network(address)).digest('base64url').slice(0, 22)}`;
}

function network(address: string): string {
  const ipv4 = /^(?:::ffff:)?(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (ipv4 !== undefined) return ipv4;
  const [left = '', right] = (address.split('%')[0] ?? '').toLowerCase().split('::', 2);
  const head = left === '' ? [] : left.split(':');
  const tail = right === undefined || right === '' ? [] : right.split(':');
  const zeros = right === undefined ? 0 : Math.max(0, 8 - head.length - tail.length);
  const groups = [...head, ...Array<string>(zeros).fill('0'), ...tail].map((group) => group.replace(/^0+(?=.)/, ''));
  return groups.slice(0, 4).join(':');
}
