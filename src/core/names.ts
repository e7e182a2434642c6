import { createHmac } from 'node:crypto';
import { subkey } from './sealing.ts';

/** What is named by a keyed hash. Each kind has a key of its own. */
export const nameKinds = ['email', 'username', 'viewer', 'idempotency', 'namespace'] as const;
export type NameKind = (typeof nameKinds)[number];

/**
 * A name that replaces a personal value where the value must not be visible (in a stream name, or for a viewer's
 * address). The same value of the same kind always gives the same name, also after `DATA_KEY` was replaced. Without the
 * key, nobody can find the value by trying. The caller normalises the value (NFKC, lower case). The name has 43
 * characters of base64url.
 */
export type Names = (kind: NameKind, value?: string) => string;

export function createNames(keyOf: (kind: NameKind) => Buffer): Names {
  const keys = new Map(nameKinds.map((kind) => [kind, keyOf(kind)]));
  return (kind, value = '') => createHmac('sha256', keys.get(kind)!).update(value).digest('base64url');
}

/** The key of a kind under the first master key of an installation. Its names are in the log, so it never changes. */
export function firstNameKey(masterKey: Buffer, kind: NameKind): Buffer {
  return subkey(masterKey, `name ${kind}`);
}
