/** Boxes of ISO base media files, for tests that build hostile files (ISO/IEC 14496-12). */
export interface TestBox {
  readonly type: string;
  readonly bytes: Buffer;
}

export function box(type: string, ...contents: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32BE(contents.reduce((sum, { length }) => sum + length, 8));
  header.write(type, 4, 'latin1');
  return Buffer.concat([header, ...contents]);
}

export function boxesIn(bytes: Buffer): TestBox[] {
  const boxes: TestBox[] = [];
  for (let start = 0; start + 8 <= bytes.length; start += bytes.readUInt32BE(start)) {
    boxes.push({
      type: bytes.toString('latin1', start + 4, start + 8),
      bytes: bytes.subarray(start, start + bytes.readUInt32BE(start)),
    });
  }
  return boxes;
}

/** The movie with other boxes in its index, which must be the last box of the file. */
export function withIndex(movie: Buffer, change: (boxes: readonly TestBox[]) => readonly Buffer[]): Buffer {
  return Buffer.concat(
    boxesIn(movie).map(({ type, bytes }) =>
      type === 'moov' ? box('moov', ...change(boxesIn(bytes.subarray(8)))) : bytes,
    ),
  );
}

/** A copy of a track under another number. All copies read the same samples. */
export function copyOfTrack({ bytes }: TestBox, number: number, handler?: string): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt32BE(number, copy.indexOf('tkhd') + 16);
  if (handler !== undefined) copy.write(handler, copy.indexOf('hdlr') + 12, 'latin1');
  return copy;
}

/** The movie with `count` more copies of one track. `which` counts from 0. */
export function withCopies(
  movie: Buffer,
  count: number,
  { which = 0, handler }: { which?: number; handler?: string } = {},
): Buffer {
  return withIndex(movie, (boxes) => {
    const copied = boxes.filter(({ type }) => type === 'trak')[which]!;
    return boxes.flatMap((each) =>
      each === copied
        ? Array.from({ length: count }, (_, index) => copyOfTrack(each, 100 + index, handler))
        : [each.bytes],
    );
  });
}
