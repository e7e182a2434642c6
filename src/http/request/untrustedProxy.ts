import type { Request } from 'express';
import type { Logger } from 'pino';

/** Peers to warn of. More are not proxies, but clients that send the header themselves. */
const MOST_PEERS = 5;

/**
 * Warns, once for each peer, of requests that a proxy passes on which `TRUST_PROXY` does not name. All clients behind
 * such a proxy have its address: they share the limits of one address, and its views.
 */
export function warnOfUntrustedProxies(log: Logger): (request: Request) => void {
  const warned = new Set<string>();
  return (request) => {
    const { headers, socket, app } = request;
    if (headers['x-forwarded-for'] === undefined && headers['forwarded'] === undefined) return;
    const peer = socket.remoteAddress ?? 'unknown';
    const trusts = app.get('trust proxy fn') as (address: string, hop: number) => boolean;
    if (trusts(peer, 0) || warned.has(peer) || warned.size === MOST_PEERS) return;
    warned.add(peer);
    log.warn(
      { peer },
      `requests from ${peer} carry X-Forwarded-For, which is ignored. If ${peer} is your proxy, set TRUST_PROXY=${peer}: until then all clients behind it share the rate limits of one address`,
    );
  };
}
