import type Hls from 'hls.js';
import type { Video } from '../api/types.ts';
import { mediaUrl } from './mediaUrl.ts';

type HlsClass = typeof Hls;
let loaded: HlsClass | undefined;

/** Loads what plays HLS, for the videos after the first one. */
export async function prepareHls(): Promise<void> {
  if (playsHls(document.createElement('video'))) return;
  loaded ??= (await import('hls.js/light')).default;
}

/**
 * Gives a video element its file. The MP4 starts fastest; HLS adapts to the line, and is used once `prepareHls` has loaded it. If
 * HLS fails, the MP4 takes over.
 * @returns a function that frees what was loaded.
 */
export function attachSource(element: HTMLVideoElement, { url, hlsUrl }: Pick<Video, 'url' | 'hlsUrl'>): () => void {
  const mp4 = url === null ? undefined : mediaUrl(url);
  const detach = hlsUrl && loaded?.isSupported() ? attachHls(loaded, element, mediaUrl(hlsUrl), mp4) : undefined;
  if (detach === undefined && mp4 !== undefined) element.src = mp4;
  return () => {
    detach?.();
    element.removeAttribute('src');
    element.load();
  };
}

function attachHls(HlsOf: HlsClass, element: HTMLVideoElement, master: string, mp4: string | undefined): () => void {
  // A worker would need a script from a blob, which the policy of the page forbids.
  const hls = new HlsOf({ enableWorker: false, capLevelToPlayerSize: true, maxBufferLength: 20 });
  hls.on(HlsOf.Events.ERROR, (_name, { fatal }) => {
    if (!fatal) return;
    hls.destroy();
    if (mp4 !== undefined) element.src = mp4;
  });
  hls.loadSource(master);
  hls.attachMedia(element);
  return () => hls.destroy();
}

function playsHls(element: HTMLVideoElement): boolean {
  return element.canPlayType('application/vnd.apple.mpegurl') !== '';
}
