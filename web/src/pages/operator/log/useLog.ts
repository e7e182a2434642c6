import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { reread } from '../../../api/queryClient.ts';
import type { LiveEvent } from '../../../live/connection.ts';
import { useLogEvents } from '../../../live/useLiveEvents.ts';
import { passes, readBefore, readHead, type LogEvent, type LogFilter } from './logEvents.ts';

/** Events that are kept on the page. The oldest of the live ones leave it. */
const MOST_LIVE = 500;
const MOST_OLDER_PAGES = 10;

/** The log, the newest event first: what is recorded while the page is open, and what was before. Of one filter. */
export function useLog(filter: LogFilter, paused: boolean) {
  const [live, setLive] = useState<readonly LogEvent[]>([]);
  const [held, setHeld] = useState<readonly LogEvent[]>([]);

  const queryKey = ['operator', 'log', filter];
  const older = useInfiniteQuery({
    queryKey,
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam, signal }) =>
      readBefore(filter, pageParam === undefined ? (await readHead(signal)) + 1n : BigInt(pageParam), signal),
    getNextPageParam: ({ isAll, events }, pages) =>
      isAll || pages.length >= MOST_OLDER_PAGES ? undefined : events.at(-1)?.position,
    staleTime: Infinity,
    gcTime: 0,
  });

  const onEvent = (event: LiveEvent): void => {
    const found = event as LiveEvent & LogEvent;
    if (!passes(found, filter)) return;
    const add = (events: readonly LogEvent[]): readonly LogEvent[] => [found, ...events].slice(0, MOST_LIVE);
    if (paused) setHeld(add);
    else setLive(add);
  };
  const state = useLogEvents(onEvent, () => void reread({ queryKey }));
  // What was held while the list stood still.
  if (!paused && held.length > 0) {
    setLive([...held, ...live].slice(0, MOST_LIVE));
    setHeld([]);
  }

  const pages = older.data?.pages ?? [];
  const past = pages.flatMap(({ events }) => events);
  const newest = past[0] === undefined ? -1n : BigInt(past[0].position);
  const events = [...live.filter(({ position }) => BigInt(position) > newest), ...past];
  return { events, state, held: held.length, older, isFull: pages.length >= MOST_OLDER_PAGES };
}
