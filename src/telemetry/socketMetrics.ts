import type { Metrics } from './metrics.ts';

/** What a feed has done since the start of the process, and does now. */
export interface FeedCounts {
  /** Subscriptions, with those that are catching up. */
  subscribers: number;
  catchingUp: number;
  /** Subscriptions that began with past events. */
  catchUps: number;
  /** Events that were pushed. */
  pushed: number;
}

export function createFeedCounts(): FeedCounts {
  return { subscribers: 0, catchingUp: 0, catchUps: 0, pushed: 0 };
}

/** The state of Socket.io in this process. */
export interface SocketCounts {
  readonly sockets: { readonly main: number; readonly legacy: number };
  readonly feeds: { readonly events: Readonly<FeedCounts>; readonly log: Readonly<FeedCounts> };
}

export interface SocketMetricsOptions {
  readonly metrics: Pick<Metrics, 'showAtScrape'>;
  counts(): SocketCounts;
}

/** Shows at each scrape the sockets and the subscribers of this process. */
export function showSockets({ metrics, counts }: SocketMetricsOptions): void {
  metrics.showAtScrape(
    [
      'reelstream_sockets',
      'reelstream_socket_subscribers',
      'reelstream_socket_catch_ups',
      'reelstream_socket_catch_ups_total',
      'reelstream_socket_events_total',
    ],
    (show) => {
      const { sockets, feeds } = counts();
      for (const [port, open] of Object.entries(sockets)) show('reelstream_sockets', { port }, open);
      for (const [feed, { subscribers, catchingUp, catchUps, pushed }] of Object.entries(feeds)) {
        show('reelstream_socket_subscribers', { feed }, subscribers);
        show('reelstream_socket_catch_ups', { feed }, catchingUp);
        show('reelstream_socket_catch_ups_total', { feed }, catchUps);
        show('reelstream_socket_events_total', { feed }, pushed);
      }
    },
  );
}
