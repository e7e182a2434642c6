import { useSyncExternalStore } from 'react';
import { answerOf, api } from '../../../api/client.ts';
import { closeToast, showToast } from '../../../components/toastStore.ts';
import { messageOf } from './ownVideos.ts';

/** Milliseconds in which a deletion can be undone. */
const UNDO = 10_000;

interface Deletion {
  readonly timer: ReturnType<typeof setTimeout>;
  readonly toast: number;
}

/** Not sent to the server yet. */
const waiting = new Map<string, Deletion>();
let hidden: ReadonlySet<string> = new Set();
const listeners = new Set<() => void>();

/** Videos that are deleted, or will be soon: lists do not show them. */
export function useHiddenVideos(): ReadonlySet<string> {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => hidden,
  );
}

/**
 * Deletes a video after a time in which the user can undo it, or when the user leaves the page: the server cannot bring back
 * a deleted video. If the server refuses, the video is shown again.
 */
export function deleteWithUndo({ id, title }: { readonly id: string; readonly title: string }): void {
  if (hidden.has(id)) return;
  const undo = { label: 'Undo', run: () => keep(id) };
  waiting.set(id, {
    timer: setTimeout(() => void send(id, title), UNDO),
    toast: showToast(`“${title}” was deleted.`, { action: undo, shownFor: UNDO }),
  });
  show([...hidden, id]);
}

function keep(id: string): void {
  clearTimeout(waiting.get(id)?.timer);
  waiting.delete(id);
  show([...hidden].filter((each) => each !== id));
}

async function send(id: string, title: string): Promise<void> {
  const deletion = waiting.get(id);
  if (deletion === undefined) return;
  clearTimeout(deletion.timer);
  closeToast(deletion.toast);
  waiting.delete(id);
  try {
    // With keepalive the request outlives the page.
    await answerOf(api.DELETE('/api/v1/video/{videoId}', { params: { path: { videoId: id } }, keepalive: true }));
  } catch (error) {
    show([...hidden].filter((each) => each !== id));
    showToast(`“${title}” could not be deleted: ${messageOf(error)}`, { tone: 'bad' });
  }
}

function show(ids: readonly string[]): void {
  hidden = new Set(ids);
  for (const listener of listeners) listener();
}

addEventListener('pagehide', () => {
  for (const id of waiting.keys()) void send(id, 'The video');
});
