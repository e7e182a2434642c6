import { PUBLIC_PREFIX } from '../../../objectStore/keys.ts';
import type { ObjectStore } from '../../../objectStore/objectStore.ts';
import type { MediaObject } from '../events.ts';
import type { ReceivedFile } from '../../../media/receiving/writeFile.ts';

/** Each video has a prefix of its own, so deleting it touches no other. The name is a hash, so nothing is overwritten. */
function originalKey(videoId: string, sha256: string): string {
  return `originals/${videoId}/${sha256}.mp4`;
}

export function renditionKey(videoId: string, sha256: string, extension: 'mp4' | 'jpg'): string {
  return `${PUBLIC_PREFIX}${videoId}/${sha256}.${extension}`;
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

/** Removes every object of a video except those to keep. It is safe to repeat. */
export async function removeObjects(
  objects: ObjectStore,
  videoId: string,
  keep: readonly (MediaObject | undefined)[] = [],
): Promise<void> {
  const kept = new Set(keep.map((object) => object?.key));
  const doomed: string[] = [];
  for (const prefix of [`${PUBLIC_PREFIX}${videoId}/`, `originals/${videoId}/`]) {
    for await (const key of objects.list(prefix)) if (!kept.has(key)) doomed.push(key);
  }
  await objects.remove(doomed);
}
