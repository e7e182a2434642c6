/** E-mail addresses and usernames are the same when these are: case, ways of writing a character and what nobody sees do not tell people apart. */
export function normalised(name: string): string {
  return name.normalize('NFKC').replace(INVISIBLE, '').trim().toLowerCase();
}

/** Soft hyphens, joiners, fillers, variation selectors. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;

/** Names a personal value in a stream's name without showing it (`hmacName`). */
export type NameHash = (kind: 'email' | 'username', normalised: string) => string;

/** With the secret of this installation. */
export function nameHashOf({ hmac }: { hmac(use: string, text: string): string }): NameHash {
  return (kind, name) => hmac(kind, name);
}
