import type { Names } from '../../core/names.ts';

/**
 * Two e-mail addresses or usernames are the same if their normalised forms are equal: case, the encoding of characters,
 * and invisible characters make no difference.
 */
export function normalised(name: string): string {
  return name.normalize('NFKC').replace(INVISIBLE, '').trim().toLowerCase();
}

/** Soft hyphens, joiners, fillers, variation selectors. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;

/** A keyed hash that stands for a personal value in the name of a stream (`Names` in `src/core`). */
export type NameHash = (kind: 'email' | 'username', normalised: string) => string;

/** Uses the secret of this installation. */
export function nameHashOf({ hmac }: { readonly hmac: Names }): NameHash {
  return (kind, name) => hmac(kind, name);
}
