import type { IncomingMessage } from 'node:http';
import type { Logger } from 'pino';
import type { ProxyTrust } from './clientAddress.ts';

/** How many peers to warn about. More than these are not proxies, but clients that send the header themselves. */
const MOST_PEERS = 5;

/**
 * Warns once about each proxy that passes requests on and is not named in `TRUST_PROXY`. All clients behind such a
 * proxy have its address, so they share the limits and the views of one address.
 */
export function warnOfUntrustedProxies(logger: Logger, trusts: ProxyTrust): (request: IncomingMessage) => void {
  const warned = new Set<string>();
  return ({ headers, socket }) => {
    if (headers['x-forwarded-for'] === undefined && headers['forwarded'] === undefined) return;
    const peer = socket.remoteAddress ?? 'unknown';
    if (trusts(peer, 0) || warned.has(peer) || warned.size === MOST_PEERS) return;
    warned.add(peer);
    logger.warn(
      { peer },
      `requests from ${peer} carry X-Forwarded-For, which is ignored. If ${peer} is your proxy, set TRUST_PROXY=${peer}; until then, all clients behind it share the rate limits of one address`,
    );
  };
}
