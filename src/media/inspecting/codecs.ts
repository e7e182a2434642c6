import { uploadLimits } from '../receiving/limits.ts';

/** What may be in an upload, as FFmpeg names codecs. Everything here plays in browsers or comes out of cameras and editors. */
export const videoCodecs: ReadonlySet<string> = new Set(['h264', 'hevc', 'mpeg4', 'vp9', 'av1']);
export const audioCodecs: ReadonlySet<string> = new Set(['aac', 'mp3', 'ac3', 'eac3', 'opus', 'alac', 'flac', 'mp2']);

/** FFmpeg's decoders for them. Names that a build does not know do no harm. */
const decoders = [
  'h264',
  'hevc',
  'mpeg4',
  'vp9',
  'libvpx-vp9',
  'av1',
  'libdav1d',
  'libaom-av1',
  'aac',
  'mp3',
  'mp3float',
  'ac3',
  'eac3',
  'opus',
  'libopus',
  'alac',
  'flac',
  'mp2',
  'mp2float',
  // Never part of a rendition, but ffprobe gives up on a file when it may not open what a cover picture or subtitle is in.
  'mjpeg',
  'png',
  'mov_text',
];

/**
 * Options for every time FFmpeg or ffprobe opens an upload. It is read as MOV/MP4 whatever it looks like (a playlist or
 * concat script would make FFmpeg open other files and URLs), only from files, following no reference out of the
 * file, decoding with nothing but the listed decoders, no picture larger than an upload may have (its headers may claim
 * a small one, and another begin in the middle of the stream), with no more tracks than an upload may have (each costs
 * memory as soon as it is opened), and allocating no more than 1 GB at once.
 */
export const untrustedInput: readonly string[] = [
  '-f',
  'mov',
  '-max_streams',
  String(uploadLimits.maxStreams),
  '-protocol_whitelist',
  'file',
  '-codec_whitelist',
  decoders.join(','),
  '-max_pixels',
  String(uploadLimits.maxPixels),
  '-enable_drefs',
  '0',
  '-use_absolute_path',
  '0',
];

/** A global option, which both programs want before the input. Bytes. */
export const memoryLimit: readonly string[] = ['-max_alloc', String(1024 * 1024 * 1024)];
