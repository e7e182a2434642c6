/** Segments never begin with a dot, so a key cannot lead out of its folder and cannot name the private files of an adapter. */
const KEY = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;

export function isKey(key: string): boolean {
  return key.length <= 512 && KEY.test(key);
}

export function assertKey(key: string): void {
  if (!isKey(key)) throw new TypeError(`${JSON.stringify(key.slice(0, 80))} cannot be the key of an object`);
}

/** Everybody who knows the URL may fetch objects with this prefix. */
export const PUBLIC_PREFIX = 'videos/';

/** Objects with this prefix are fetched by signed URLs. Objects with other prefixes (originals) are never fetched. */
export const PRIVATE_PREFIX = 'private/';
