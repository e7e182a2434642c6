import { useMutation } from '@tanstack/react-query';
import { useLocation, useNavigate } from '@tanstack/react-router';
import { ApiError } from '../api/apiError.ts';
import { answerOf, api } from '../api/client.ts';
import { queryClient } from '../api/queryClient.ts';
import { showToast } from '../components/toastStore.ts';
import { useSession } from '../session/useSession.ts';
import { changeVideo, videoQuery } from './videoQueries.ts';

const likeKey = (videoId: string) => ['like', videoId];

/** Whether the answer to a like, or to taking one back, is awaited. */
export const isLiking = (videoId: string): boolean => queryClient.isMutating({ mutationKey: likeKey(videoId) }) > 0;

/** Differs after each like, and after each that was taken back. */
export const lastLike = (videoId: string): number | undefined =>
  queryClient
    .getMutationCache()
    .findAll({ mutationKey: likeKey(videoId) })
    .at(-1)?.mutationId;

/**
 * Likes a video, or takes the like back. The count moves at once, and moves back if the server refuses. Who is not signed in
 * is asked to.
 */
export function useLike(videoId: string): (like: boolean) => void {
  const { status } = useSession();
  const { href } = useLocation();
  const navigate = useNavigate();
  const askToSignIn = (): void => {
    const run = () => void navigate({ to: '/sign-in', search: { next: href } });
    showToast('Sign in to like videos.', { action: { label: 'Sign in', run } });
  };

  const { mutate } = useMutation({
    mutationKey: likeKey(videoId),
    // One after the other: the last wish counts.
    scope: { id: `like ${videoId}` },
    mutationFn: async (like: boolean) => {
      const request = { params: { path: { videoId } } };
      const path = '/api/v1/video/{videoId}/like';
      return (await answerOf(like ? api.PUT(path, request) : api.DELETE(path, request))).data;
    },
    onMutate: async (like) => {
      const { queryKey } = videoQuery(videoId);
      // Nobody would repeat the first reading.
      if (queryClient.getQueryData(queryKey) !== undefined) await queryClient.cancelQueries({ queryKey });
      return { changed: move(videoId, like) };
    },
    onSuccess: async ({ likeCount }, like) => {
      // A first answer that comes only now may be from before the like.
      await queryClient.ensureQueryData(videoQuery(videoId)).catch(() => undefined);
      if (queryClient.isMutating({ mutationKey: likeKey(videoId) }) > 1) return;
      changeVideo(videoId, (watched) => ({ ...watched, isLiked: like, video: { ...watched.video, likeCount } }));
    },
    onError: (error, like, context) => {
      if (context?.changed) move(videoId, !like);
      if (error instanceof ApiError && error.status === 401) askToSignIn();
      else showToast(`Your like was not saved. ${error.message}`, { tone: 'bad' });
    },
  });

  return (like) => {
    if (status === 'anonymous' || status === 'ended') askToSignIn();
    else mutate(like);
  };
}

/** @returns whether it changed anything. */
function move(videoId: string, like: boolean): boolean {
  const known = queryClient.getQueryData(videoQuery(videoId).queryKey);
  if (known === undefined || known.isLiked === like) return false;
  changeVideo(videoId, (watched) => ({
    ...watched,
    isLiked: like,
    video: { ...watched.video, likeCount: Math.max(0, watched.video.likeCount + (like ? 1 : -1)) },
  }));
  return true;
}
