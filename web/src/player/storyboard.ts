import { queryOptions } from '@tanstack/react-query';
import { mediaUrl } from './mediaUrl.ts';

/** A small picture of a moment: a part of a larger one. Pixels. */
export interface Tile {
  /** Seconds. */
  readonly from: number;
  readonly to: number;
  readonly url: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The pictures beside the seek bar. They are small, and loaded when somebody first looks for a moment. */
export const storyboardQuery = (url: string) =>
  queryOptions({
    queryKey: ['storyboard', url],
    queryFn: async ({ signal }) => {
      const address = mediaUrl(url);
      const response = await fetch(address, { signal });
      if (!response.ok) throw new Error(`The storyboard was answered with status ${response.status}.`);
      return tilesOf(await response.text(), new URL(address, location.origin));
    },
    staleTime: Infinity,
    retry: false,
  });

/** The cues of a WebVTT file whose texts are `picture#xywh=x,y,width,height`, relative to the file. */
export function tilesOf(text: string, base: URL): readonly Tile[] {
  const tiles: Tile[] = [];
  for (const cue of text.split(/\r?\n\r?\n/)) {
    const found = /([\d:.]+)\s+-->\s+([\d:.]+)[^\n]*\n(\S+)#xywh=(?:pixel:)?(\d+),(\d+),(\d+),(\d+)/.exec(cue);
    if (found === null) continue;
    const [, from, to, picture, x, y, width, height] = found as unknown as readonly string[];
    tiles.push({
      from: secondsOf(from!),
      to: secondsOf(to!),
      url: new URL(picture!, base).href,
      x: Number(x),
      y: Number(y),
      width: Number(width),
      height: Number(height),
    });
  }
  return tiles;
}

/** The tile of a moment. */
export function tileAt(tiles: readonly Tile[], seconds: number): Tile | undefined {
  return tiles.find(({ to }) => seconds < to) ?? tiles.at(-1);
}

function secondsOf(time: string): number {
  return time.split(':').reduce((total, part) => total * 60 + Number(part), 0);
}
