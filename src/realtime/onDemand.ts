import type { EventFeed } from './eventFeed.ts';

/** A feed that exists, and so reads the log, only while somebody subscribes to it. */
export function onDemand(create: () => EventFeed): EventFeed {
  let current: { readonly feed: EventFeed; subscribers: number } | undefined;
  const closing = new Set<Promise<void>>();

  function close(feed: EventFeed): void {
    const closed = feed.close().finally(() => closing.delete(closed));
    closing.add(closed);
  }

  return {
    async subscribe(subscriber, since) {
      const entered = (current ??= { feed: create(), subscribers: 0 });
      entered.subscribers++;
      let left = false;
      const leave = (): void => {
        if (left) return;
        left = true;
        if (--entered.subscribers > 0) return;
        if (current === entered) current = undefined;
        close(entered.feed);
      };
      try {
        const subscription = await entered.feed.subscribe(subscriber, since);
        return {
          position: subscription.position,
          start: () => subscription.start(),
          end: () => {
            subscription.end();
            leave();
          },
        };
      } catch (error) {
        leave();
        throw error;
      }
    },
    async close() {
      if (current !== undefined) close(current.feed);
      await Promise.all(closing);
    },
  };
}
