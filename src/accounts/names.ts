/** E-mail addresses and usernames are the same when these are: case and ways of writing a character do not tell people apart. */
export function normalised(name: string): string {
  return name.trim().normalize('NFKC').toLowerCase();
}

/** Names a personal value in a stream's name without showing it (`hmacName`). */
export type NameHash = (kind: 'email' | 'username', normalised: string) => string;
