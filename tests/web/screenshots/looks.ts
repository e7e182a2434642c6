import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { testTools } from '../../support/clips.ts';

/** A video that FFmpeg draws: portrait, eight seconds. Clips are kept by their title: change it with the picture. */
export interface Look {
  readonly title: string;
  readonly description: string;
  /** A source of FFmpeg's lavfi, and filters. */
  readonly picture: string;
}

export const looks: readonly Look[] = [
  {
    title: 'The carpet never ends',
    description: 'A Sierpinski carpet, seen from closer and closer.',
    picture: 'sierpinski=size=540x960:rate=25:seed=7,hue=h=160:s=2,colorchannelmixer=rr=.9:gg=.75:bb=.5',
  },
  {
    title: 'Life finds a way',
    description: 'Conway’s rules on a small board. Blue cells were alive a moment ago.',
    picture:
      'life=s=135x240:mold=12:r=25:ratio=0.12:seed=4:death_color=#20304a:life_color=#ffd166:mold_color=#16324f,scale=540:960:flags=neighbor',
  },
  {
    title: 'Colours of a slow evening',
    description: 'Four colours that cannot agree. Best watched in a dark room.',
    picture: 'gradients=s=540x960:r=25:c0=#0b132b:c1=#f25f5c:c2=#ffe066:c3=#247ba0:nb_colors=4:speed=0.012:seed=11',
  },
  {
    title: 'Warm front',
    description: '',
    picture: 'gradients=s=540x960:r=25:c0=#3d1a4f:c1=#ff7a64:c2=#ffd6a5:nb_colors=3:speed=0.01:x0=0:y0=0:x1=540:y1=960',
  },
  {
    title: 'Into the seahorse valley',
    description: 'Eight seconds at the edge of the Mandelbrot set. Each frame is a little deeper than the one before.',
    picture:
      'mandelbrot=size=540x960:rate=25:start_scale=0.9:end_scale=0.02:end_pts=200:start_x=-0.743643:start_y=-0.131825:inner=black,hue=h=200:s=1.4',
  },
];

/** The path of a clip. It is kept for the next run. */
export async function drawClip({ title, picture }: Look, index: number): Promise<string> {
  const folder = join(tmpdir(), 'reelstream-looks-1');
  const path = join(folder, `${title.replace(/\W+/g, '-')}.mp4`);
  if (existsSync(path)) return path;
  await mkdir(folder, { recursive: true });
  const { ffmpeg } = await testTools();
  const tone = `sine=frequency=${220 + 55 * index}:duration=8,volume=0.1`;
  const temporary = `${path}.${process.pid}.mp4`;
  await promisify(execFile)(
    ffmpeg.path,
    ['-v', 'error', '-y', '-f', 'lavfi', '-i', picture, '-f', 'lavfi', '-i', tone, '-t', '8', '-c:v', 'libx264'].concat(
      ['-preset', 'veryfast', '-crf', '24', '-maxrate', '6M', '-bufsize', '6M', '-pix_fmt', 'yuv420p'],
      ['-c:a', 'aac', temporary],
    ),
  );
  await rename(temporary, path);
  return path;
}
