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

/** Removes every object of a video except those to keep, wherever they are. It is safe to repeat. */
export async function removeObjects(
  objects: Pick<ObjectStore, 'list' | 'remove'>,
  videoId: string,
  keep: readonly (MediaObject | undefined)[] = [],
): Promise<void> {
  const kept = new Set(keep.map((object) => object && nameOf(object.key)));
  const doomed: string[] = [];
  for (const prefix of [mediaPrefix('public', videoId), mediaPrefix('private', videoId), `originals/${videoId}/`]) {
    for await (const key of objects.list(prefix)) if (!kept.has(nameOf(key))) doomed.push(key);
  }
  await objects.remove(doomed);
}

/** The key without the prefix that says who may read the object. */
function nameOf(key: string): string {
  return key.slice(key.indexOf('/') + 1);
}
