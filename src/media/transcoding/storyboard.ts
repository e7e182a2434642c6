/** Small pictures of a video, one for each second, in the rows of one large picture. */
export interface StoryboardPlan {
  readonly count: number;
  readonly columns: number;
  readonly rows: number;
  /** Pixels of one small picture, even. */
  readonly width: number;
  readonly height: number;
  /** Seconds of the video. */
  readonly duration: number;
}

/** Pixels of the long side of a small picture. */
const LONG_SIDE = 160;
const MOST_COLUMNS = 10;
/** Seconds at the end of a video that get no picture of their own: videos are often some frames longer than a whole second. */
const REST = 0.1;

export function planStoryboard(video: {
  readonly width: number;
  readonly height: number;
  readonly duration: number;
}): StoryboardPlan {
  const scale = Math.min(1, LONG_SIDE / Math.max(video.width, video.height));
  const even = (pixels: number): number => Math.max(2, 2 * Math.round((pixels * scale) / 2));
  const count = Math.max(1, Math.ceil(video.duration - REST));
  const columns = Math.min(MOST_COLUMNS, count);
  return {
    count,
    columns,
    rows: Math.ceil(count / columns),
    width: even(video.width),
    height: even(video.height),
    duration: video.duration,
  };
}

/** A filter that makes the large picture. Each small one is what the video shows at the beginning of its second. */
export function storyboardFilter({ count, columns, rows, width, height }: StoryboardPlan): string {
  return [
    'fps=fps=1:start_time=0:round=up',
    `scale=${width}:${height}`,
    'setsar=1',
    `tile=${columns}x${rows}:nb_frames=${count}`,
    'format=yuvj420p',
  ].join(',');
}

/**
 * WebVTT with a cue for each second. Its text names the part of the large picture, as players expect it (W3C Media Fragments,
 * `xywh`).
 * @param pictures name of the large picture, relative to the WebVTT file
 */
export function storyboardVtt({ count, columns, width, height, duration }: StoryboardPlan, pictures: string): string {
  const cues = Array.from({ length: count }, (_, second) => {
    const end = second + 1 < count ? second + 1 : Math.max(duration, second + 0.001);
    const [x, y] = [(second % columns) * width, Math.floor(second / columns) * height];
    return `${timeOf(second)} --> ${timeOf(end)}\n${pictures}#xywh=${x},${y},${width},${height}\n`;
  });
  return `WEBVTT\n\n${cues.join('\n')}`;
}

/** `01:02.500`. */
function timeOf(seconds: number): string {
  const milliseconds = Math.round(seconds * 1000);
  const minutes = String(Math.floor(milliseconds / 60_000)).padStart(2, '0');
  return `${minutes}:${((milliseconds % 60_000) / 1000).toFixed(3).padStart(6, '0')}`;
}
