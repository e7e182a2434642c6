import { infiniteQueryOptions, queryOptions, type InfiniteData } from '@tanstack/react-query';
import { answerOf, api } from '../api/client.ts';
import { queryClient } from '../api/queryClient.ts';
import type { Video } from '../api/types.ts';

/** How many videos a request brings. */
const PAGE = 10;
/** Milliseconds. The server counts a view of the same reader once in this time. */
const VIEW_INTERVAL = 60_000;

interface ListPage {
  readonly data: readonly Video[];
  readonly meta: { readonly total: number };
}

export interface FeedPage extends ListPage {
  readonly meta: { readonly total: number; readonly nextCursor: string | null };
}

/** The newest event of the feed that this page has heard of: what it reads afterwards contains it. */
let feedPosition: string | undefined;

export function heardOfFeed(position: string): void {
  feedPosition = position;
}

function sinceHeader(position: string | undefined) {
  return position === undefined ? {} : { 'X-Min-Position': position };
}

/** For each list that is being read: the videos that have left the lists since it was asked for. */
const leavingMeanwhile = new Set<Set<string>>();

/** Reads a list, and reads it again when its answer still has a video that left meanwhile. */
async function readList<List extends ListPage>(
  read: (minPosition: string | undefined) => Promise<List>,
): Promise<List> {
  const left = new Set<string>();
  leavingMeanwhile.add(left);
  let list: List;
  try {
    list = await read(feedPosition);
  } finally {
    leavingMeanwhile.delete(left);
  }
  return list.data.some(({ id }) => left.has(id)) ? readList(read) : list;
}

/** The list is the same for everybody, so it does not wait until it is known who reads it. */
export function loadFeedPage(cursor: string): Promise<FeedPage> {
  return readList(async (minPosition) => {
    const params = { query: { cursor, limit: PAGE }, header: sinceHeader(minPosition) };
    const { data, meta } = await answerOf(api.GET('/api/v1/video', { params, fetch: (request) => fetch(request) }));
    return { data, meta: meta! };
  });
}

/** The public videos, newest first. The page says by itself when it asks again, so that nothing moves under the reader. */
export const feedQuery = infiniteQueryOptions({
  queryKey: ['feed'],
  queryFn: ({ pageParam }) => loadFeedPage(pageParam),
  initialPageParam: '',
  getNextPageParam: ({ meta }) => meta.nextCursor ?? undefined,
  staleTime: Infinity,
});

/** The public videos of one user, newest first. */
export const authorQuery = (username: string) =>
  infiniteQueryOptions({
    queryKey: ['author', username],
    queryFn: ({ pageParam }) =>
      readList(async (minPosition) => {
        const params = { query: { username, cursor: pageParam, limit: 24 }, header: sinceHeader(minPosition) };
        const { data, meta } = await answerOf(api.GET('/api/v1/video', { params }));
        return { data, meta: meta! };
      }),
    initialPageParam: '',
    getNextPageParam: ({ meta }) => meta.nextCursor ?? undefined,
  });

interface Reading {
  /** Whether it counts as a view. */
  readonly counted: boolean;
  /** The server waits until its answer contains the event at this position. */
  readonly minPosition?: string;
}

export async function readVideo(videoId: string, { counted, minPosition }: Reading) {
  const params = {
    path: { videoId },
    query: counted ? {} : { view: 'false' as const },
    header: sinceHeader(minPosition),
  };
  return (await answerOf(api.GET('/api/v1/video/{videoId}', { params }))).data;
}

export type Watched = Awaited<ReturnType<typeof readVideo>>;

/** One video, its neighbours, and whether the reader likes it. Asking for it counts a view. */
export const videoQuery = (videoId: string) =>
  queryOptions({
    queryKey: ['video', videoId],
    queryFn: () => readVideo(videoId, { counted: true }),
    staleTime: VIEW_INTERVAL,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });

/** Changes what is known of a video, everywhere on the page. */
export function changeVideo(videoId: string, change: (watched: Watched) => Watched): void {
  queryClient.setQueryData(videoQuery(videoId).queryKey, (watched) => watched && change(watched));
}

/** A video that others may no longer see disappears from the feed, and from the list of its author. */
export function dropVideo(videoId: string): void {
  for (const left of leavingMeanwhile) left.add(videoId);
  const without = ({ data, meta, ...page }: ListPage): ListPage => ({
    ...page,
    data: data.filter(({ id }) => id !== videoId),
    meta: { ...meta, total: meta.total - 1 },
  });
  for (const queryKey of [feedQuery.queryKey, ['author']])
    queryClient.setQueriesData<InfiniteData<ListPage>>({ queryKey }, (list) => {
      if (list === undefined || !list.pages.some(({ data }) => data.some(({ id }) => id === videoId))) return list;
      return { ...list, pages: list.pages.map(without) };
    });
}

/** Reads the feed from its start again, and keeps showing the first page meanwhile. */
export async function readFeedAgain(): Promise<void> {
  const firstPage = ({ pages, pageParams }: InfiniteData<FeedPage>) => ({
    pages: pages.slice(0, 1),
    pageParams: pageParams.slice(0, 1),
  });
  queryClient.setQueryData(feedQuery.queryKey, (feed) => feed && firstPage(feed));
  await queryClient.refetchQueries({ queryKey: feedQuery.queryKey });
}
