import { createHmac } from 'node:crypto';
import { clientNetwork } from '../../core/clientNetwork.ts';

/** The viewer of a video: a user, or else the address that the request came from. */
export interface Viewer {
  readonly userId?: string | undefined;
  readonly address: string;
}

/**
 * The name under which a viewer is in the log. An address is personal and easily guessed from a plain hash, so it is hashed
 * with a secret. Addresses of one client network are one viewer.
 */
export function viewerName({ userId, address }: Viewer, secret: string): string {
  if (userId !== undefined) return `user:${userId}`;
  return `addr:${createHmac('sha256', secret).update(clientNetwork(address)).digest('base64url').slice(0, 22)}`;
}
