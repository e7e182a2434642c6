/** What may be in an upload, as FFmpeg names codecs. All of them play in browsers or come from cameras and editors. */
export const videoCodecs: ReadonlySet<string> = new Set(['h264', 'hevc', 'mpeg4', 'vp9', 'av1']);
export const audioCodecs: ReadonlySet<string> = new Set(['aac', 'mp3', 'ac3', 'eac3', 'opus', 'alac', 'flac', 'mp2']);
