import type { FileHandle } from 'node:fs/promises';

/*
 * The part of the tar format (POSIX ustar) that a backup needs: regular files. With tar on a command line, backups are
 * listed and unpacked like any other archive.
 */

const BLOCK = 512;
/** The end of an archive. */
export const TAR_END = Buffer.alloc(2 * BLOCK);

export interface TarEntry {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Where its content begins. */
  readonly offset: number;
}

/** The bytes before the content of a file. @throws RangeError when the format has no room for its name or size. */
export function tarHeader(name: string, size: number, modified: Date): Buffer {
  const [prefix, rest] = splitName(name);
  if (size >= 8 ** 11) throw new RangeError(`${name} is too large for a backup`);
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0');
  header.write(rest, 0);
  header.write(`${octal(0o600, 7)}\0${octal(0, 7)}\0${octal(0, 7)}\0`, 100);
  header.write(`${octal(size, 11)}\0${octal(Math.floor(modified.getTime() / 1_000), 11)}\0`, 124);
  header.write('0', 156);
  header.write('ustar\x0000', 257);
  header.write(prefix, 345);
  header.write(`${octal(checksumOf(header), 6)}\0 `, 148);
  return header;
}

/** The bytes after the content of a file. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc(-size & (BLOCK - 1));
}

/** The files of an archive, in their order. The caller reads their content. @throws NotATar */
export async function* readTar(file: FileHandle): AsyncGenerator<TarEntry> {
  const { size: end } = await file.stat();
  for (let at = 0; ;) {
    const header = Buffer.alloc(BLOCK);
    const { bytesRead } = await file.read(header, 0, BLOCK, at);
    if (bytesRead < BLOCK) throw new NotATar(at === 0 ? 'it is no archive' : 'its end is missing');
    if (header.every((byte) => byte === 0)) {
      if (end !== at + TAR_END.length) throw new NotATar('its end is missing, or something follows it');
      return;
    }
    if (header.toString('latin1', 257, 262) !== 'ustar' || octalAt(header, 148, 6) !== checksumOf(header))
      throw new NotATar(at === 0 ? 'it is no archive' : `it was changed or damaged at byte ${at}`);
    const [rest, prefix] = [textAt(header, 0, 100), textAt(header, 345, 155)];
    const entry = {
      name: prefix === '' ? rest : `${prefix}/${rest}`,
      size: octalAt(header, 124, 11),
      offset: at + BLOCK,
    };
    at = entry.offset + entry.size + tarPadding(entry.size).length;
    if (at > end) throw new NotATar('its end is missing');
    yield entry;
  }
}

export class NotATar extends Error {}

/** A name of more than 100 bytes is cut at a slash. */
function splitName(name: string): readonly [prefix: string, rest: string] {
  if (Buffer.byteLength(name) <= 100) return ['', name];
  for (let slash = name.indexOf('/'); slash !== -1; slash = name.indexOf('/', slash + 1)) {
    if (Buffer.byteLength(name.slice(slash + 1)) > 100) continue;
    if (Buffer.byteLength(name.slice(0, slash)) > 155) break;
    return [name.slice(0, slash), name.slice(slash + 1)];
  }
  throw new RangeError(`the name ${name} is too long for a backup`);
}

/** The sum of all bytes, with spaces in the place of the checksum itself. */
function checksumOf(header: Buffer): number {
  return header.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 0x20 : byte), 0);
}

function textAt(header: Buffer, start: number, length: number): string {
  return header.toString('utf8', start, start + length).replace(/\0.*$/s, '');
}

function octalAt(header: Buffer, start: number, digits: number): number {
  return Number.parseInt(header.toString('latin1', start, start + digits), 8);
}
