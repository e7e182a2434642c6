import { uploadLimits } from '../limits.ts';

/** FFmpeg's decoders for the codecs of `inspecting/codecs.ts`. A build ignores the names that it does not know. */
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
  // Cover pictures and subtitles. They are never part of a rendition, but without their decoders ffprobe rejects the file.
  'mjpeg',
  'png',
  'mov_text',
];

/**
 * Options for every run of FFmpeg or ffprobe on an upload:
 * - The file is read as MOV/MP4, whatever it looks like. A playlist or concat script would make FFmpeg open other files and URLs.
 * - Only files are opened, and no reference that leads out of the file.
 * - Only the listed decoders run.
 * - No frame is larger than an upload's may be: headers may claim small frames, and large ones follow in the stream.
 * - The file has no more tracks than an upload may have: each takes memory as soon as the file is opened.
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

/** Bytes that one allocation may take: 1 GB. A global option, which both programs expect before the input. */
export const memoryLimit: readonly string[] = ['-max_alloc', String(1024 * 1024 * 1024)];
