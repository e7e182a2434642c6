/** Segments never begin with a dot, so a key cannot climb out of a folder, nor name what an adapter keeps for itself. */
const KEY = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;

export function isKey(key: string): boolean {
  return key.length <= 512 && KEY.test(key);
}

export function assertKey(key: string): void {
  if (!isKey(key)) throw new TypeError(`${JSON.stringify(key.slice(0, 80))} cannot be the key of an object`);
}

/** What anyone may fetch who has the address. Everything else (originals) is for our own processes. */
export const PUBLIC_PREFIX = 'videos/';
