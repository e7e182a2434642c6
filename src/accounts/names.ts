/** E-mail addresses and usernames are the same when these are: case, ways of writing a character and what nobody sees do not tell people apart. */
export function normalised(name: string): string {
  return name.normalize('NFKC').replace(INVISIBLE, '').trim().toLowerCase();
}

/** Soft hyphens, joiners, fillers, variation selectors. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;

/** Without what leaves no mark: blanks as well, and the Braille pattern of no dots. */
export function visiblePart(name: string): string {
  return name.normalize('NFKC').replace(INVISIBLE, '').replace(/[\s\u2800]/gu, '');
}

/** Names a personal value in a stream's name without showing it (`hmacName`). */
export type NameHash = (kind: 'email' | 'username', normalised: string) => string;
