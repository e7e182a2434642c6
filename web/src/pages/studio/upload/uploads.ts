import type { Upload } from 'tus-js-client';
import { reasonOf, removeFromServer, sendFile } from './sendFile.ts';
import { forgetUpload, rememberedUploads, rememberUpload, type RememberedUpload } from './rememberedUploads.ts';

/**
 * draft → sending → processing → ready; `stopped` may go on, `refused` may not, and a `failed` video may be processed
 * again.
 */
export type UploadState = 'draft' | 'sending' | 'stopped' | 'refused' | 'processing' | 'ready' | 'failed';

export interface UploadItem extends RememberedUpload {
  readonly state: UploadState;
  /** Share that was sent, 0 to 1. */
  readonly sent: number;
  /** Percent of the whole way, and where it is, once the server has the file. */
  readonly progress: number;
  readonly stage: string | undefined;
  readonly videoId: string | undefined;
  /** Why it stopped, was refused or failed. */
  readonly reason: string | undefined;
}

const MOST_BYTES = 50 * 1024 * 1024;

let items: readonly UploadItem[] = [];
const sending = new Map<string, Upload>();
const listeners = new Set<() => void>();
let restoredFor: string | undefined;

export function currentUploads(): readonly UploadItem[] {
  return items;
}

export function onUploads(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function set(next: readonly UploadItem[]): void {
  items = next;
  for (const listener of listeners) listener();
}

export function changeUpload(id: string, changes: Partial<UploadItem>): void {
  set(items.map((item) => (item.id === id ? { ...item, ...changes } : item)));
}

/** Goes on with what this user had not finished when the page was closed. */
export async function restoreUploads(userId: string): Promise<void> {
  if (restoredFor === userId) return;
  restoredFor = userId;
  const found = await rememberedUploads(userId);
  const others = items.filter((item) => item.userId === userId && !found.some(({ id }) => id === item.id));
  set([...found.map(toItem), ...others]);
  for (const { id } of found) await startUpload(id);
}

export function addFiles(files: readonly File[], userId: string): void {
  const added = files.map((file): UploadItem => {
    const problem = problemOf(file);
    const title = file.name.replace(/\.[^.]*$/, '').slice(0, 200);
    const id = newId();
    const item = toItem({ id, userId, file, title, description: '', visibility: 'public', url: undefined });
    return problem === undefined ? item : { ...item, state: 'refused', reason: problem };
  });
  set([...items, ...added]);
}

function toItem(upload: RememberedUpload): UploadItem {
  return { ...upload, state: 'draft', sent: 0, progress: 0, stage: undefined, videoId: undefined, reason: undefined };
}

/** Browsers have `crypto.randomUUID` only in pages from https and from this machine. */
function newId(): string {
  return crypto.getRandomValues(new BigUint64Array(2)).join('-');
}

/** The server checks the content; this only spares a wait. */
function problemOf(file: File): string | undefined {
  if (file.size > MOST_BYTES) return 'The file is larger than 50 MB.';
  if (file.size === 0) return 'The file is empty.';
  return undefined;
}

/** Begins to send, or goes on where it stopped. */
export async function startUpload(id: string): Promise<void> {
  const item = items.find((each) => each.id === id);
  if (item === undefined || sending.has(id)) return;
  changeUpload(id, { state: 'sending', reason: undefined });
  await rememberUpload(rememberedOf(item));
  const upload = sendFile(item, {
    onAddress: (url) => {
      changeUpload(id, { url });
      void rememberUpload({ ...rememberedOf(item), url });
    },
    onSent: (sent) => changeUpload(id, { sent }),
    onVideo: (videoId) => {
      sending.delete(id);
      void forgetUpload(id);
      changeUpload(id, { state: 'processing', sent: 1, videoId });
    },
    onError: (error) => {
      sending.delete(id);
      const { reason, isFinal } = reasonOf(error);
      if (isFinal) void forgetUpload(id);
      changeUpload(id, { state: isFinal ? 'refused' : 'stopped', reason });
    },
  });
  // It may have been given up meanwhile.
  if (!items.some((each) => each.id === id)) return;
  sending.set(id, upload);
  upload.start();
}

/** Gives an upload up, here and on the server. A video that it has become stays. */
export async function cancelUpload(id: string): Promise<void> {
  const item = items.find((each) => each.id === id);
  const upload = sending.get(id);
  sending.delete(id);
  set(items.filter((each) => each.id !== id));
  await forgetUpload(id);
  await upload?.abort().catch(() => undefined);
  // What the server does not hear of now, it removes after a day.
  if (item?.url !== undefined && item.videoId === undefined) await removeFromServer(item.url);
}

function rememberedOf({ id, userId, file, title, description, visibility, url }: UploadItem): RememberedUpload {
  return { id, userId, file, title, description, visibility, url };
}

addEventListener('online', () => {
  for (const { id, state } of items) if (state === 'stopped') void startUpload(id);
});
