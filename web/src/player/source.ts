import type Hls from 'hls.js';
import type { Video } from '../api/types.ts';
import { mediaUrl } from './mediaUrl.ts';

type HlsClass = typeof Hls;

/** Undefined until it is loaded, which is after the first video: it is larger than all other code of the page. */
let loaded: HlsClass | undefined;
const started = new Set<string>();

/** A video plays. Who watches a second one gets HLS for the next ones. */
export function noteStart(videoId: string): void {
  started.add(videoId);
  if (started.size > 1 && loaded === undefined && needsHls()) {
    // The full build: the light one does not play sound that is in a file of its own.
    void import('hls.js').then(
      (module) => (loaded = module.default),
      () => undefined,
    );
  }
}

/**
 * Gives a video element its file. The MP4 starts fastest; HLS adapts to the line, and is for the videos after the first ones. If
 * HLS fails, the MP4 takes over.
 * @returns a function that frees what was loaded.
 */
export function attachSource(element: HTMLVideoElement, { url, hlsUrl }: Pick<Video, 'url' | 'hlsUrl'>): () => void {
  const mp4 = url === null ? '' : mediaUrl(url);
  const isLater = started.size > 1;
  const detach =
    hlsUrl === null || !isLater
      ? undefined
      : loaded?.isSupported()
        ? attachHls(loaded, element, mediaUrl(hlsUrl), mp4)
        : needsHls()
          ? undefined
          : attachNative(element, mediaUrl(hlsUrl), mp4);
  if (detach === undefined) element.src = mp4;
  return () => {
    detach?.();
    element.removeAttribute('src');
    element.load();
  };
}

function attachHls(HlsOf: HlsClass, element: HTMLVideoElement, master: string, mp4: string): () => void {
  // A worker would need a script from a blob, which the policy of the page forbids.
  const hls = new HlsOf({ enableWorker: false, capLevelToPlayerSize: true, maxBufferLength: 20 });
  hls.on(HlsOf.Events.ERROR, (_name, { fatal }) => {
    if (!fatal) return;
    hls.destroy();
    element.src = mp4;
  });
  hls.loadSource(master);
  hls.attachMedia(element);
  return () => hls.destroy();
}

function attachNative(element: HTMLVideoElement, master: string, mp4: string): () => void {
  const onError = (event: Event): void => {
    event.stopImmediatePropagation();
    element.src = mp4;
  };
  element.addEventListener('error', onError, { once: true });
  element.src = master;
  return () => element.removeEventListener('error', onError);
}

/** Older iPhones let no script feed a player, and play HLS themselves. */
function needsHls(): boolean {
  return 'MediaSource' in window || 'ManagedMediaSource' in window;
}
