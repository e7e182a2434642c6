import { createHash } from 'node:crypto';
import { stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Sandbox } from '../../../media/ffmpeg/sandbox.ts';
import { hashFile } from '../../../media/hashFile.ts';
import type { Inspect } from '../../../media/inspecting/inspect.ts';
import { renditionLimits } from '../../../media/limits.ts';
import { ensureRoom, type FreeSpace } from '../../../media/scratch/diskSpace.ts';
import type { Scratch } from '../../../media/scratch/scratch.ts';
import { makeExtras, mostBytes, planExtras, type Extras } from '../../../media/transcoding/extras.ts';
import { bitRateOf, masterPlaylist, mediaPlaylist } from '../../../media/transcoding/playlists.ts';
import { storyboardVtt, type StoryboardPlan } from '../../../media/transcoding/storyboard.ts';
import { contentTypeOf } from '../../../objectStore/contentType.ts';
import type { ObjectStore } from '../../../objectStore/objectStore.ts';
import type { Tracing } from '../../../telemetry/tracing.ts';
import type { ExistingVideo, VideoExtras } from '../decider.ts';
import type { HlsLadder, MediaObject } from '../events.ts';
import { extraKey, keyNow, ladderPrefix } from './mediaKeys.ts';

export interface ExtrasOptions {
  readonly objects: ObjectStore;
  readonly scratch: Scratch;
  readonly inspect: Inspect;
  /** Path of the program. */
  readonly ffmpeg: string;
  /** By default it only limits resources and empties the environment. */
  readonly sandbox?: Sandbox;
  readonly tracing?: Tracing;
  /** Milliseconds for one run of FFmpeg. */
  readonly timeout?: number;
  /** Asks the system by default. */
  readonly freeSpace?: FreeSpace;
}

/** Stores a file under a key, with the type that its name says. */
type Store = (key: string, path: string) => Promise<MediaObject>;

/**
 * Fetches the movie of a video that can be played, makes its ladder, storyboard and preview, and stores all of it.
 * @throws FfmpegFailed, ProbeFailed, DomainError, ObjectNotFound, ObjectStoreUnavailable
 */
export async function storeExtras(
  video: ExistingVideo,
  { objects, scratch, inspect, freeSpace, signal, ...tools }: ExtrasOptions & { readonly signal: AbortSignal },
): Promise<VideoExtras> {
  if (video.video === undefined) throw new Error(`video ${video.id} has no movie`);
  await using folder = await scratch.make();
  const movie = join(folder.path, 'movie.mp4');
  const { size } = video.video;
  await ensureRoom(folder.path, size + mostBytes(planExtras(video.facts, true), size), freeSpace);
  await objects.getFile(keyNow(video.video.key, video.filesAccess), movie, signal);
  const found = await inspect(movie, { signal, ownerId: video.ownerId, limits: renditionLimits });
  const plan = planExtras(found.facts, found.audio !== undefined);
  const extras = await makeExtras(movie, folder.path, plan, { ...tools, signal });
  const store: Store = async (key, path) => {
    await objects.putFile(key, path, contentTypeOf(key), signal);
    return { key, size: (await stat(path)).size };
  };
  const hls = await storeLadder(video, folder.path, extras, store, signal);
  const storyboard = await storeStoryboard(video, folder.path, extras, plan.storyboard, store, signal);
  const preview = join(folder.path, extras.preview);
  const { sha256 } = await hashFile(preview, signal);
  const { filesAccess, id } = video;
  return { hls, ...storyboard, preview: await store(extraKey(filesAccess, id, 'preview', sha256, 'mp4'), preview) };
}

/** All files are in one folder, which is named after their hashes. The master playlist is stored last. */
async function storeLadder(
  { id, filesAccess }: ExistingVideo,
  folder: string,
  { pictures, sound }: Extras,
  store: Store,
  signal: AbortSignal,
): Promise<HlsLadder> {
  const names: string[] = [];
  const write = async (name: string, text: string): Promise<void> => {
    await writeFile(join(folder, name), text);
    names.push(name);
  };
  for (const track of [...pictures, ...(sound ? [sound] : [])]) {
    names.push(track.file);
    await write(track.playlist, mediaPlaylist(track));
  }
  await write('master.m3u8', masterPlaylist(pictures, sound));
  const hash = createHash('sha256');
  for (const name of names) hash.update(`${name} ${(await hashFile(join(folder, name), signal)).sha256}\n`);
  const prefix = ladderPrefix(filesAccess, id, hash.digest('hex'));
  const stored: MediaObject[] = [];
  for (const name of names) stored.push(await store(prefix + name, join(folder, name)));
  const soundRate = sound ? bitRateOf(sound.content).peak : 0;
  return {
    master: stored.at(-1)!,
    renditions: pictures.map(({ rung: { width, height }, content }) => ({
      width,
      height,
      bitrate: bitRateOf(content).peak + soundRate,
    })),
    files: stored.length,
    bytes: stored.reduce((sum, { size }) => sum + size, 0),
  };
}

async function storeStoryboard(
  { id, filesAccess }: ExistingVideo,
  folder: string,
  extras: Extras,
  plan: StoryboardPlan,
  store: Store,
  signal: AbortSignal,
): Promise<Pick<VideoExtras, 'storyboard' | 'pictures'>> {
  const keyOf = async (path: string, extension: 'vtt' | 'jpg'): Promise<string> =>
    extraKey(filesAccess, id, 'storyboard', (await hashFile(path, signal)).sha256, extension);
  const picture = join(folder, extras.storyboard);
  const pictures = await store(await keyOf(picture, 'jpg'), picture);
  const text = join(folder, 'storyboard.vtt');
  await writeFile(text, storyboardVtt(plan, basename(pictures.key)));
  return { pictures, storyboard: await store(await keyOf(text, 'vtt'), text) };
}
