import { DomainError } from '../../core/errors.ts';
import type { BoxLayout, TrackCount } from './isoBaseMedia.ts';
import type { UploadLimits } from '../limits.ts';

/**
 * The brands of MP4 (the registry at mp4ra.org). A file counts as MP4 when its major or any compatible brand is one of them.
 * A file with only QuickTime's `qt  ` is a .mov, and does not count.
 */
const MP4_BRANDS = new Set([
  'isom',
  'iso2',
  'iso3',
  'iso4',
  'iso5',
  'iso6',
  'iso7',
  'iso8',
  'iso9',
  'isoa',
  'isob',
  'isoc',
  'mp41',
  'mp42',
  'mp71',
  'avc1',
  'hvc1',
  'hev1',
  'av01',
  'dash',
  'M4V ',
  'M4VH',
  'M4VP',
  'MSNV',
  'XAVC',
  'f4v ',
  'cmfc',
  'cmf2',
]);
/** Pictures and sound in the same kind of container. Many of these files name `isom` as a compatible brand. */
const OTHER_MAJOR_BRANDS = new Map([
  ...['heic', 'heix', 'hevc', 'hevx', 'heim', 'heis', 'mif1', 'msf1', 'avif', 'avis', 'crx '].map(
    (brand) => [brand, 'a picture (HEIC or AVIF)'] as const,
  ),
  ...['M4A ', 'M4B ', 'M4P '].map((brand) => [brand, 'an audio file (M4A)'] as const),
]);

/**
 * Refuses files that are not MP4, by their bytes and not by name or Content-Type, before a decoder reads them.
 * @throws DomainError `not_an_mp4` (unsupportedMedia), `damaged_video`, `too_many_streams` or `video_too_complex` (unprocessable).
 */
export function checkContainer(
  { brands, boxes, plausible, size, tracks, head }: BoxLayout,
  limits: UploadLimits,
): void {
  if (brands === undefined) throw notAnMp4(describe(head));
  const [major = ''] = brands;
  const other = OTHER_MAJOR_BRANDS.get(major);
  if (other !== undefined) throw notAnMp4(other);
  if (!brands.some((brand) => MP4_BRANDS.has(brand)))
    throw notAnMp4(major === 'qt  ' ? 'a QuickTime movie' : undefined);
  if (boxes.some(({ end }) => end > size))
    throw damaged('The video is cut off: it ends in the middle. Upload the whole file.');
  if (!plausible) throw tooManyParts('The video has too many parts.');
  if (!boxes.some(({ type }) => type === 'moov'))
    throw damaged('The video is incomplete: it has no index (moov). Export it again.');
  checkTracks(tracks, limits);
}

/** @throws DomainError `too_many_streams`, `video_too_complex` */
export function checkTracks({ all, video, complete }: TrackCount, { maxStreams, maxVideoStreams }: UploadLimits): void {
  if (all > maxStreams) throw tooManyStreams(complete ? `${all} tracks` : `more than ${maxStreams} tracks`, maxStreams);
  if (video > maxVideoStreams)
    throw tooManyStreams(
      complete ? `${video} video tracks` : `more than ${maxVideoStreams} video tracks`,
      maxVideoStreams,
    );
  if (!complete) throw tooManyParts('The index of the video has too many parts.');
}

function tooManyParts(what: string): DomainError {
  return new DomainError('unprocessable', 'video_too_complex', `${what} Export it again.`);
}

export function tooManyStreams(found: string, most: number, cause?: unknown): DomainError {
  return new DomainError(
    'unprocessable',
    'too_many_streams',
    `The file has ${found}; at most ${most} are allowed. Export it with one video track and one audio track.`,
    { cause },
  );
}

function notAnMp4(what: string | undefined): DomainError {
  const looks = what === undefined ? '' : ` (it looks like ${what})`;
  return new DomainError(
    'unsupportedMedia',
    'not_an_mp4',
    `The file is not an MP4 video${looks}. Convert it to MP4 and upload that.`,
  );
}

function damaged(message: string): DomainError {
  return new DomainError('unprocessable', 'damaged_video', message);
}

function describe(head: Buffer): string | undefined {
  const text = head.toString('latin1').trimStart().toLowerCase();
  if (head.length === 0) return 'an empty file';
  if (head.length >= 4 && head.readUInt32BE(0) === 0x1a45dfa3) return 'a WebM or Matroska file';
  if (text.startsWith('#extm3u')) return 'a playlist';
  if (text.startsWith('ffconcat')) return 'an FFmpeg script';
  if (text.startsWith('#!')) return 'a script';
  if (text.startsWith('<svg') || text.includes('<svg')) return 'an SVG picture';
  if (text.startsWith('<!doctype html') || text.startsWith('<html')) return 'a web page';
  if (text.startsWith('riff')) return 'an AVI or WAV file';
  if (text.startsWith('gif8') || text.startsWith('\x89png') || text.startsWith('\xff\xd8\xff')) return 'a picture';
  return undefined;
}
