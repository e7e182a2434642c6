import { infiniteQueryOptions, queryOptions, useQueryClient, type InfiniteData } from '@tanstack/react-query';
import { ApiError } from '../../../api/apiError.ts';
import { answerOf, api } from '../../../api/client.ts';
import { reread } from '../../../api/queryClient.ts';
import type { components } from '../../../api/schema.d.ts';
import { notOlderThanSeen, sawPosition } from '../../../live/seenPosition.ts';
import { useCalmly } from '../../../live/useCalmly.ts';
import { useLiveEvents, useUploadProgress } from '../../../live/useLiveEvents.ts';
import { useUser } from '../../../session/useSession.ts';

export type OwnVideo = components['schemas']['OwnVideo'];
export type Status = OwnVideo['status'];

type OwnVideoPage = Awaited<ReturnType<typeof pageOfOwnVideos>>;

const PAGE = 50;
const KEY = ['ownVideos'];
/** Milliseconds from an event until the videos are read again. Views may come many times a second. */
const SOON = 500;
const LATER = 10_000;
const COUNTED = ['VideoViewed', 'VideoLiked', 'VideoUnliked'];

async function pageOfOwnVideos(status: Status | undefined, cursor: string | undefined, signal: AbortSignal) {
  const query = { limit: PAGE, ...(status !== undefined && { status }), ...(cursor !== undefined && { cursor }) };
  const { data, meta } = await answerOf(
    api.GET('/api/v1/video/mine', { params: { query, header: notOlderThanSeen() }, signal }),
  );
  return { videos: data, next: meta?.nextCursor ?? undefined, total: meta?.total ?? data.length };
}

/** The user's own videos, newest first, page by page. */
export function ownVideosQuery(status?: Status) {
  return infiniteQueryOptions({
    queryKey: [...KEY, 'list', status ?? 'all'],
    queryFn: ({ pageParam, signal }) => pageOfOwnVideos(status, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next,
  });
}

export type HistoryEntry = Awaited<ReturnType<typeof historyOf>>[number];

/** One of them, with its history, and the ETag that a change of it names. */
export function ownVideoQuery(videoId: string) {
  return queryOptions({
    queryKey: [...KEY, 'one', videoId],
    queryFn: async ({ signal }) => {
      // The history comes first: if the video changes in between, a change of it is refused.
      const history = await historyOf(videoId, signal);
      const video = await readOwnVideo(videoId, history, signal);
      return { video, history, etag: `"${history.at(-1)!.revision}"` };
    },
  });
}

async function historyOf(videoId: string, signal: AbortSignal) {
  const page = (cursor: string) =>
    answerOf(
      api.GET('/api/v1/video/{videoId}/history', {
        params: { path: { videoId }, query: { limit: 100, cursor } },
        signal,
      }),
    );
  const entries = [];
  let cursor: string | null = '0';
  while (cursor !== null) {
    const { data, meta }: Awaited<ReturnType<typeof page>> = await page(cursor);
    entries.push(...data);
    cursor = meta?.nextCursor ?? null;
  }
  return entries;
}

async function readOwnVideo(videoId: string, history: readonly HistoryEntry[], signal: AbortSignal): Promise<OwnVideo> {
  const params = { path: { videoId }, query: { view: 'false' as const }, header: notOlderThanSeen() };
  const { data } = await answerOf(api.GET('/api/v1/video/{videoId}', { params, signal }));
  const { video } = data;
  if (video.status !== 'ready') {
    // How far it is and why it failed is only in the list, which has few videos of these states.
    const { videos } = await pageOfOwnVideos(video.status, undefined, signal);
    const found = videos.find(({ id }) => id === videoId);
    if (found !== undefined) return found;
  }
  return { ...video, stage: null, progress: null, reason: null, moderation: moderationIn(history) };
}

/** Of a removed video there is nothing but its entry in the list. */
function moderationIn(history: readonly HistoryEntry[]): OwnVideo['moderation'] {
  const last = history.findLast(({ type }) => type === 'VideoHidden' || type === 'VideoRestored');
  if (last?.type !== 'VideoHidden') return null;
  return { state: 'hidden', reason: String(last.data['reason']), at: last.time };
}

/** Keeps what was read of the user's own videos in step with what happens to them. */
export function useOwnVideosLive(): void {
  const client = useQueryClient();
  const user = useUser();
  const readAgain = (): void => void reread({ queryKey: KEY });
  const soon = useCalmly(readAgain, SOON);
  const later = useCalmly(readAgain, LATER);
  useLiveEvents(
    user === undefined ? [] : ['me'],
    ({ type, position }) => {
      if (!type.startsWith('Video')) return;
      sawPosition(position);
      if (COUNTED.includes(type)) later();
      else soon();
    },
    (position) => {
      sawPosition(position);
      soon();
    },
  );
  useUploadProgress(user?.id, ({ videoId, progress, stage }) => {
    client.setQueriesData<InfiniteData<OwnVideoPage>>({ queryKey: [...KEY, 'list'] }, (list) =>
      list === undefined
        ? list
        : {
            ...list,
            pages: list.pages.map((page) =>
              withProgress(page, videoId, { progress, stage: stage as OwnVideo['stage'] }),
            ),
          },
    );
  });
}

function withProgress(page: OwnVideoPage, videoId: string, news: Pick<OwnVideo, 'progress' | 'stage'>): OwnVideoPage {
  const isIt = ({ id, status }: OwnVideo): boolean => id === videoId && status === 'processing';
  if (!page.videos.some(isIt)) return page;
  return { ...page, videos: page.videos.map((video) => (isIt(video) ? { ...video, ...news } : video)) };
}

/** A failed video is processed again. */
export async function retryVideo(videoId: string): Promise<void> {
  await answerOf(api.POST('/api/v1/video/{videoId}/retry', { params: { path: { videoId } } }));
}

export function messageOf(error: unknown): string {
  return error instanceof ApiError ? error.message : 'Something went wrong.';
}
