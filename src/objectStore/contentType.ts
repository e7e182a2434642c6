import { extname } from 'node:path';

const TYPES: Readonly<Record<string, string>> = { '.mp4': 'video/mp4', '.jpg': 'image/jpeg' };

export function contentTypeOf(key: string): string {
  return TYPES[extname(key)] ?? 'application/octet-stream';
}
