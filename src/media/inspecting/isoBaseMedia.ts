import { open, type FileHandle } from 'node:fs/promises';

/** A box of an ISO base media file (ISO/IEC 14496-12, 4.2). */
export interface Box {
  readonly type: string;
  readonly start: number;
  /** One past its last byte, as its header says. In a file that was cut off, it is past the end of the file. */
  readonly end: number;
}

export interface BoxLayout {
  readonly size: number;
  readonly boxes: readonly Box[];
  /** False when the file has more boxes, or more bytes in containers, than any clip. */
  readonly plausible: boolean;
  /** The brands of the first box, the major one first; undefined when that box is not `ftyp`. */
  readonly brands: readonly string[] | undefined;
  readonly tracks: TrackCount;
  /** The first bytes of the file, to recognise other formats. */
  readonly head: Buffer;
}

/** The tracks that the index (`moov`) announces. */
export interface TrackCount {
  /** The number that it describes, or that it announces for fragments, whichever is higher. */
  readonly all: number;
  /** Tracks that declare themselves as video. A false declaration is not noticed here; ffprobe's memory limit covers it. */
  readonly video: number;
  /** False when the index has more boxes than were read, so there may be more tracks. */
  readonly complete: boolean;
}

/** A fragmented clip has two boxes a fragment. No clip has as many as this. */
const MOST_BOXES = 50_000;
/**
 * Bytes of all containers of a file. An index takes about 20 bytes a frame, so 300 kB for a minute at 240 frames a second.
 * ffprobe takes a second for 8 MB of empty boxes.
 */
const MOST_BYTES_IN_CONTAINERS = 8 * 1024 * 1024;
/**
 * Boxes whose contents FFmpeg reads as boxes again, wherever they are (`mov_default_parse_table` in libavformat/mov.c).
 * FFmpeg skips the others; cameras append megabytes of such boxes to a clip.
 */
const CONTAINERS = new Set([
  'moov',
  'moof',
  'meta',
  'udta',
  'trak',
  'traf',
  'mdia',
  'minf',
  'stbl',
  'dinf',
  'edts',
  'mvex',
  'ilst',
  'wave',
  'tref',
  'sinf',
  'schi',
  'iprp',
  'ipco',
]);
const MOST_BRANDS = 64;
/** Boxes of the index whose headers are read. A track has about ten. */
const MOST_INDEX_BOXES = 1_000;

/** Reads the headers of the top-level boxes, and of the boxes in the index that tell the number of tracks. It reads no contents. */
export async function readBoxLayout(path: string): Promise<BoxLayout> {
  await using file = await open(path, 'r');
  const { size } = await file.stat();
  const head = await readAt(file, 0, 512);
  const boxes: Box[] = [];
  for (let start = 0; start + 8 <= size && boxes.length < MOST_BOXES;) {
    const box = await readBox(file, start, size);
    if (box === undefined) break;
    boxes.push(box);
    start = box.end;
  }
  const tracks = await countTracks(file, boxes, size);
  const inContainers = boxes.reduce((sum, { type, start, end }) => sum + (CONTAINERS.has(type) ? end - start : 0), 0);
  const plausible = boxes.length < MOST_BOXES && inContainers <= MOST_BYTES_IN_CONTAINERS;
  return {
    size,
    boxes,
    plausible,
    brands: boxes[0]?.type === 'ftyp' ? readBrands(head, boxes[0]) : undefined,
    tracks,
    head,
  };
}

async function countTracks(file: FileHandle, boxes: readonly Box[], fileSize: number): Promise<TrackCount> {
  let [described, announced, video, left] = [0, 0, 0, MOST_INDEX_BOXES];
  const childrenOf = async (parent: Box): Promise<Box[]> => {
    const children: Box[] = [];
    const last = Math.min(parent.end, fileSize);
    for (let start = parent.start + 8; start + 8 <= last && left > 0; left--) {
      const box = await readBox(file, start, last);
      if (box === undefined) break;
      children.push(box);
      start = box.end;
    }
    return children;
  };
  for (const moov of boxes.filter(({ type }) => type === 'moov')) {
    for (const child of await childrenOf(moov)) {
      if (child.type === 'mvex') announced += (await childrenOf(child)).filter(({ type }) => type === 'trex').length;
      if (child.type !== 'trak') continue;
      described += 1;
      const mdia = (await childrenOf(child)).find(({ type }) => type === 'mdia');
      const hdlr = mdia && (await childrenOf(mdia)).find(({ type }) => type === 'hdlr');
      // After the box's header (8 bytes), version and flags (4) and a field that is always 0 (4): the handler's type.
      if (hdlr && (await readAt(file, hdlr.start + 16, 4)).toString('latin1') === 'vide') video += 1;
    }
    if (left === 0) break;
  }
  return { all: Math.max(described, announced), video, complete: left > 0 };
}

async function readBox(file: FileHandle, start: number, fileSize: number): Promise<Box | undefined> {
  const header = await readAt(file, start, 16);
  const type = header.toString('latin1', 4, 8);
  const short = header.readUInt32BE(0);
  if (short === 0) return { type, start, end: fileSize };
  if (short !== 1) return short >= 8 ? { type, start, end: start + short } : undefined;
  const long = header.length >= 16 ? Number(header.readBigUInt64BE(8)) : 0;
  return long >= 16 ? { type, start, end: start + long } : undefined;
}

function readBrands(head: Buffer, { end }: Box): string[] {
  const brands = [head.toString('latin1', 8, 12)];
  for (let at = 16; at + 4 <= Math.min(end, head.length) && brands.length < MOST_BRANDS; at += 4)
    brands.push(head.toString('latin1', at, at + 4));
  return brands;
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}
