import { open, type FileHandle } from 'node:fs/promises';

/** A top-level box of an ISO base media file (ISO/IEC 14496-12, 4.2). */
export interface Box {
  readonly type: string;
  readonly start: number;
  /** One past its last byte, as its header claims: past the end of the file when that was cut off. */
  readonly end: number;
}

export interface BoxLayout {
  readonly size: number;
  readonly boxes: readonly Box[];
  /** Brands of the first box when that is `ftyp`: the major one first. */
  readonly brands: readonly string[] | undefined;
  /** The first bytes, to tell what the file is when it is something else. */
  readonly head: Buffer;
}

/** A fragmented clip has two boxes a fragment; far more than this is not a clip. */
const MOST_BOXES = 50_000;
const MOST_BRANDS = 64;

/** Reads the headers of the top-level boxes; nothing in them, however large they claim to be. */
export async function readBoxLayout(path: string): Promise<BoxLayout> {
  await using file = await open(path, 'r');
  const { size } = await file.stat();
  const head = await readAt(file, 0, 512);
  const boxes: Box[] = [];
  for (let start = 0; start + 8 <= size && boxes.length < MOST_BOXES; ) {
    const box = await readBox(file, start, size);
    if (box === undefined) break;
    boxes.push(box);
    start = box.end;
  }
  return { size, boxes, brands: boxes[0]?.type === 'ftyp' ? readBrands(head, boxes[0]) : undefined, head };
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
  for (let at = 16; at + 4 <= Math.min(end, head.length) && brands.length < MOST_BRANDS; at += 4) brands.push(head.toString('latin1', at, at + 4));
  return brands;
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}
