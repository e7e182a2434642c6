import { open, type FileHandle } from 'node:fs/promises';
import { readBoxLayout, type Box } from '../inspecting/isoBaseMedia.ts';

/** A part of a fragmented MP4 that can be decoded by itself, once the beginning of the file is known. */
export interface Fragment {
  /** Where it is in the file, in bytes. */
  readonly offset: number;
  readonly size: number;
  /** Seconds since the beginning of the track, in decoding order. */
  readonly start: number;
  readonly duration: number;
  readonly samples: number;
}

/** A fragmented MP4 with one track. */
export interface FragmentedFile {
  /** Bytes of its beginning, which describes the track. */
  readonly initSize: number;
  readonly fragments: readonly Fragment[];
  /** RFC 6381, for example `avc1.64001f`; undefined when it is not H.264. */
  readonly videoCodec: string | undefined;
}

/** Bytes of a box that is read as a whole: far more than the index of a track or of a fragment takes. */
const MOST_BOX = 1024 * 1024;

/**
 * Reads where the fragments of a file are. FFmpeg has written the file, one track and one `moof` a fragment.
 * @throws Error when the file is otherwise
 */
export async function readFragments(path: string): Promise<FragmentedFile> {
  const { boxes, plausible, size } = await readBoxLayout(path);
  if (!plausible || boxes.some(({ end }) => end > size)) throw unexpected('is cut off');
  await using file = await open(path, 'r');
  const moov = boxes.find(({ type }) => type === 'moov');
  if (moov === undefined) throw unexpected('has no index');
  const index = await readBox(file, moov);
  const timescale = fieldOf(index, ['trak', 'mdia', 'mdhd'], (box) => box.readUInt32BE(box[0] === 1 ? 20 : 12));
  if (timescale === undefined || timescale === 0) throw unexpected('has no time scale');
  const fragments: Fragment[] = [];
  for (const [n, box] of boxes.entries()) {
    if (box.type !== 'moof') continue;
    const data = boxes[n + 1];
    if (data?.type !== 'mdat') throw unexpected('has a fragment without data');
    const { start, duration, samples } = timesOf(await readBox(file, box));
    fragments.push({
      offset: box.start,
      size: data.end - box.start,
      start: start / timescale,
      duration: duration / timescale,
      samples,
    });
  }
  if (fragments.length === 0) throw unexpected('has no fragments');
  return { initSize: moov.end, fragments: withoutGaps(fragments), videoCodec: videoCodecOf(index) };
}

/** A fragment lasts until the next one begins. */
function withoutGaps(fragments: readonly Fragment[]): Fragment[] {
  return fragments.map((fragment, n) => ({
    ...fragment,
    duration: (fragments[n + 1]?.start ?? fragment.start + fragment.duration) - fragment.start,
  }));
}

/** In units of the time scale. Fields of `tfhd`, `tfdt` and `trun`: ISO/IEC 14496-12, 8.8.7, 8.8.8 and 8.8.12. */
function timesOf(moof: Buffer): { start: number; duration: number; samples: number } {
  const start = fieldOf(moof, ['traf', 'tfdt'], (box) =>
    box[0] === 1 ? Number(box.readBigUInt64BE(4)) : box.readUInt32BE(4),
  );
  const each = fieldOf(moof, ['traf', 'tfhd'], (box) => {
    const flags = box.readUIntBE(1, 3);
    return flags & 0x8 ? box.readUInt32BE(8 + (flags & 0x1 ? 8 : 0) + (flags & 0x2 ? 4 : 0)) : 0;
  });
  const run = fieldOf(moof, ['traf', 'trun'], (box) => {
    const flags = box.readUIntBE(1, 3);
    const samples = box.readUInt32BE(4);
    if (!(flags & 0x100)) return { samples, duration: samples * (each ?? 0) };
    const fieldsOfSample = [0x100, 0x200, 0x400, 0x800].filter((flag) => flags & flag).length;
    const first = 8 + (flags & 0x1 ? 4 : 0) + (flags & 0x4 ? 4 : 0);
    let duration = 0;
    for (let n = 0; n < samples; n++) duration += box.readUInt32BE(first + n * 4 * fieldsOfSample);
    return { samples, duration };
  });
  if (start === undefined || run === undefined) throw unexpected('has a fragment without times');
  return { start, ...run };
}

/** Profile, constraints and level are the bytes after the version of the decoder's configuration (ISO/IEC 14496-15, 5.3.3). */
function videoCodecOf(moov: Buffer): string | undefined {
  const at = moov.indexOf('avcC');
  return at < 0 ? undefined : `avc1.${moov.toString('hex', at + 5, at + 8)}`;
}

/** What `read` finds in the content of the first box with this path; undefined when there is none. */
function fieldOf<Value>(
  content: Buffer,
  [type, ...path]: readonly string[],
  read: (content: Buffer) => Value,
): Value | undefined {
  for (let at = 0; at + 8 <= content.length;) {
    const size = content.readUInt32BE(at);
    if (size < 8) return undefined;
    if (content.toString('latin1', at + 4, at + 8) === type) {
      const inner = content.subarray(at + 8, at + size);
      return path.length === 0 ? read(inner) : fieldOf(inner, path, read);
    }
    at += size;
  }
  return undefined;
}

/** The content of a box, without its header. */
async function readBox(file: FileHandle, { start, end }: Box): Promise<Buffer> {
  const length = end - start - 8;
  if (length > MOST_BOX) throw unexpected('has an index that is too large');
  const { buffer } = await file.read(Buffer.alloc(length), 0, length, start + 8);
  return buffer;
}

function unexpected(what: string): Error {
  return new Error(`FFmpeg wrote a fragmented MP4 that ${what}`);
}
