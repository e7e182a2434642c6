import { infiniteQueryOptions, queryOptions, type InfiniteData } from '@tanstack/react-query';
import { answerOf, api } from '../api/client.ts';
import { queryClient } from '../api/queryClient.ts';
import type { Video } from '../api/types.ts';

/** How many videos a request brings. */
const PAGE = 10;
/** Milliseconds. The server counts a view of the same reader once in this time. */
const VIEW_INTERVAL = 60_000;

export interface FeedPage {
  readonly data: readonly Video[];
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

/** The list is the same for everybody, so it does not wait until it is known who reads it. */
export async function loadFeedPage(cursor: string): Promise<FeedPage> {
  const params = { query: { cursor, limit: PAGE }, header: sinceHeader(feedPosition) };
  const { data, meta } = await answerOf(api.GET('/api/v1/video', { params, fetch: (request) => fetch(request) }));
  return { data, meta: meta! };
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
    queryFn: async ({ pageParam }) => {
      const params = { query: { username, cursor: pageParam, limit: 24 }, header: sinceHeader(feedPosition) };
      const { data, meta } = await answerOf(api.GET('/api/v1/video', { params }));
      return { data, meta: meta! };
    },
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

interface ListPage {
  readonly data: readonly Video[];
  readonly meta: { readonly total: number };
}

/** A video that others may no longer see disappears from the feed, and from the list of its author. */
export function dropVideo(videoId: string): void {
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
