import { infiniteQueryOptions } from '@tanstack/react-query';
import { answerOf, api } from '../../../api/client.ts';
import type { components } from '../../../api/schema.d.ts';

export type ReportedVideo = components['schemas']['ReportedVideo'];
export type ModeratedVideo = components['schemas']['ModeratedVideo'];
export type Report = components['schemas']['ReportOfVideo'];
export type Decision = components['schemas']['Decision'];

/** What the pages of reports have read, for `invalidateQueries`. */
export const REPORTS = ['operator', 'reports'];

/** Reported videos, those with the newest report first. */
export const queueQuery = (state: 'open' | 'decided') =>
  infiniteQueryOptions({
    queryKey: [...REPORTS, 'queue', state],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam: cursor, signal }) => {
      const query = { state, ...(cursor !== undefined && { cursor }) };
      return answerOf(api.GET('/api/v1/admin/reports', { params: { query }, signal }));
    },
    getNextPageParam: ({ meta }) => meta?.nextCursor ?? undefined,
    refetchInterval: 10_000,
  });

/** A video with its reports, page by page, and everything that was decided about it. */
export const caseQuery = (videoId: string) =>
  infiniteQueryOptions({
    queryKey: [...REPORTS, 'case', videoId],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam: cursor, signal }) => {
      const params = { path: { videoId }, query: cursor === undefined ? {} : { cursor } };
      return answerOf(api.GET('/api/v1/admin/reports/{videoId}', { params, signal }));
    },
    getNextPageParam: ({ meta }) => meta?.nextCursor ?? undefined,
  });

export type VideoAction = 'dismiss' | 'hide' | 'restore' | 'remove';
export type UserAction = 'suspend' | 'reinstate';

/** @returns what the server says. */
export async function decideOnVideo(videoId: string, action: VideoAction, reason: string): Promise<string> {
  const request = { params: { path: { videoId } }, body: { reason } };
  const call = {
    dismiss: () => api.POST('/api/v1/admin/reports/{videoId}/dismiss', request),
    hide: () => api.POST('/api/v1/admin/videos/{videoId}/hide', request),
    restore: () => api.POST('/api/v1/admin/videos/{videoId}/restore', request),
    remove: () => api.POST('/api/v1/admin/videos/{videoId}/remove', request),
  }[action];
  return (await answerOf<{ message: string }>(call())).message;
}

/** @returns what the server says. */
export async function decideOnUser(userId: string, action: UserAction, reason: string): Promise<string> {
  const request = { params: { path: { userId } }, body: { reason } };
  const call = {
    suspend: () => api.POST('/api/v1/admin/users/{userId}/suspend', request),
    reinstate: () => api.POST('/api/v1/admin/users/{userId}/reinstate', request),
  }[action];
  return (await answerOf<{ message: string }>(call())).message;
}
