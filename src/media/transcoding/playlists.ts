import type { FragmentedFile } from './fragments.ts';
import type { Rung } from './ladder.ts';

/** A rung of the ladder, or its sound, as FFmpeg has made it. */
export interface LadderTrack {
  /** The names of its file and its playlist, in one folder. */
  readonly file: string;
  readonly playlist: string;
  readonly content: FragmentedFile;
}

export interface LadderPicture extends LadderTrack {
  readonly rung: Rung;
}

/** Bits a second. */
export interface BitRate {
  readonly peak: number;
  readonly average: number;
}

const GROUP = 'sound';
/** FFmpeg's encoder makes AAC-LC. */
const SOUND_CODEC = 'mp4a.40.2';

/** The playlist that players open: it names all rungs and the sound that they share (RFC 8216, 4.3.4). */
export function masterPlaylist(pictures: readonly LadderPicture[], sound: LadderTrack | undefined): string {
  const soundRate = sound ? bitRateOf(sound.content) : { peak: 0, average: 0 };
  const lines = ['#EXTM3U', '#EXT-X-VERSION:7', '#EXT-X-INDEPENDENT-SEGMENTS'];
  if (sound)
    lines.push(
      `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="${GROUP}",NAME="Sound",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="${sound.playlist}"`,
    );
  for (const { rung, playlist, content } of pictures) {
    const rate = bitRateOf(content);
    const codecs = [content.videoCodec, sound && SOUND_CODEC].filter((codec) => codec !== undefined).join(',');
    const attributes = [
      `BANDWIDTH=${rate.peak + soundRate.peak}`,
      `AVERAGE-BANDWIDTH=${rate.average + soundRate.average}`,
      `RESOLUTION=${rung.width}x${rung.height}`,
      `FRAME-RATE=${frameRateOf(content).toFixed(3)}`,
      `CODECS="${codecs}"`,
      ...(sound ? [`AUDIO="${GROUP}"`] : []),
    ];
    lines.push(`#EXT-X-STREAM-INF:${attributes.join(',')}`, playlist);
  }
  return `${lines.join('\n')}\n`;
}

/** The playlist of one track. Its segments are ranges of one file. */
export function mediaPlaylist({ file, content }: LadderTrack): string {
  const { initSize, fragments } = content;
  return [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    `#EXT-X-TARGETDURATION:${Math.max(1, Math.round(longestOf(content)))}`,
    '#EXT-X-MEDIA-SEQUENCE:0',
    '#EXT-X-PLAYLIST-TYPE:VOD',
    '#EXT-X-INDEPENDENT-SEGMENTS',
    `#EXT-X-MAP:URI="${file}",BYTERANGE="${initSize}@0"`,
    ...fragments.flatMap(({ offset, size, duration }) => [
      `#EXTINF:${duration.toFixed(6)},`,
      `#EXT-X-BYTERANGE:${size}@${offset}`,
      file,
    ]),
    '#EXT-X-ENDLIST',
    '',
  ].join('\n');
}

/** A short segment at the end says little of the bit rate that a player needs, so the peak is that of longer ones. */
export function bitRateOf({ fragments }: FragmentedFile): BitRate {
  const sum = (pick: 'size' | 'duration'): number => fragments.reduce((total, fragment) => total + fragment[pick], 0);
  const rate = (size: number, duration: number): number => Math.ceil((size * 8) / Math.max(duration, 0.001));
  const average = rate(sum('size'), sum('duration'));
  const longest = longestOf({ fragments });
  const rates = fragments
    .filter(({ duration }) => duration >= longest / 2)
    .map(({ size, duration }) => rate(size, duration));
  return { average, peak: Math.max(average, ...rates) };
}

/** Whether all rungs begin their segments at the same times, to a millisecond. */
export function areAligned(pictures: readonly Pick<LadderPicture, 'content'>[]): boolean {
  const [first, ...others] = pictures.map(({ content }) => content.fragments.map(({ start }) => start));
  return others.every(
    (starts) =>
      starts.length === first!.length && starts.every((start, n) => Math.abs(start - first![n]!) < ONE_MILLISECOND),
  );
}

const ONE_MILLISECOND = 0.001;

function longestOf({ fragments }: Pick<FragmentedFile, 'fragments'>): number {
  return Math.max(...fragments.map(({ duration }) => duration), ONE_MILLISECOND);
}

function frameRateOf({ fragments }: FragmentedFile): number {
  const [samples, seconds] = fragments.reduce(
    ([all, time], fragment) => [all + fragment.samples, time + fragment.duration],
    [0, 0],
  );
  return samples / Math.max(seconds, ONE_MILLISECOND);
}
