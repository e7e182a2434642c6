import { PRIVATE_PREFIX, PUBLIC_PREFIX } from '../../../objectStore/keys.ts';
import type { ObjectStore } from '../../../objectStore/objectStore.ts';
import type { FilesAccess, MediaObject } from '../events.ts';
import type { ReceivedFile } from '../../../media/receiving/writeFile.ts';

/** Each video has a prefix of its own, so deleting it touches no other. The name is a hash, so nothing is overwritten. */
function originalKey(videoId: string, sha256: string): string {
  return `originals/${videoId}/${sha256}.mp4`;
}

/** The prefix of everything that is made of a video, with the slash at its end. */
export function mediaPrefix(access: FilesAccess, videoId: string): string {
  return `${access === 'private' ? PRIVATE_PREFIX : PUBLIC_PREFIX}${videoId}/`;
}

export function renditionKey(access: FilesAccess, videoId: string, sha256: string, extension: 'mp4' | 'jpg'): string {
  return `${mediaPrefix(access, videoId)}${sha256}.${extension}`;
}

/** The folder of a video's HLS ladder, with the slash at its end. Its playlists name the other files in it. */
export function ladderPrefix(access: FilesAccess, videoId: string, sha256: string): string {
  return `${mediaPrefix(access, videoId)}hls-${sha256}/`;
}

/** The name of the storyboard's files or of the preview, to which a hash and an extension are added. */
export function extraKey(
  access: FilesAccess,
  videoId: string,
  what: 'storyboard' | 'preview',
  sha256: string,
  extension: 'vtt' | 'jpg' | 'mp4',
): string {
  return `${mediaPrefix(access, videoId)}${what}-${sha256}.${extension}`;
}

/** Whether an object is of the ladder, the storyboard or the preview. */
export function isExtra(key: string): boolean {
  return /^\w+\/[^/]+\/(?:hls|storyboard|preview)-/.test(key);
}

/** Where an object is. Events keep the key that it had when it was stored; since then it may have been moved. */
export function keyNow(key: string, access: FilesAccess): string {
  const [, videoId = '', ...name] = key.split('/');
  return mediaPrefix(access, videoId) + name.join('/');
}

/** Stores an upload as it is, where only our own processes can read it. @throws ObjectStoreUnavailable */
export async function storeOriginal(
  objects: ObjectStore,
  videoId: string,
  file: ReceivedFile,
  signal?: AbortSignal,
): Promise<MediaObject> {
  const key = originalKey(videoId, file.sha256);
  await objects.putFile(key, file.path, 'video/mp4', signal);
  return { key, size: file.size };
}

/**
 * Removes every object of a video except those to keep, wherever they are. It is safe to repeat.
 * @param keep objects; of one whose key ends with a slash, everything in that folder
 * @param isOurs by default, all are
 */
export async function removeObjects(
  objects: Pick<ObjectStore, 'list' | 'remove'>,
  videoId: string,
  keep: readonly (Pick<MediaObject, 'key'> | undefined)[] = [],
  isOurs: (key: string) => boolean = () => true,
): Promise<void> {
  const names = keep.flatMap((object) => (object === undefined ? [] : [nameOf(object.key)]));
  const isKept = (name: string): boolean =>
    names.some((kept) => (kept.endsWith('/') ? name.startsWith(kept) : name === kept));
  const doomed: string[] = [];
  for (const prefix of [mediaPrefix('public', videoId), mediaPrefix('private', videoId), `originals/${videoId}/`]) {
    for await (const key of objects.list(prefix)) if (isOurs(key) && !isKept(nameOf(key))) doomed.push(key);
  }
  await objects.remove(doomed);
}

/** The key without the prefix that says who may read the object. */
function nameOf(key: string): string {
  return key.slice(key.indexOf('/') + 1);
}
