/** What an access token says about its user. The server checks the signature; the page only shows the values. */
export interface Claims {
  readonly id: string;
  readonly name: string;
  readonly username: string;
  readonly email: string;
  readonly role: 'user' | 'admin';
  /** When it was made and when it ends, by the clock of the server: seconds since 1970. */
  readonly iat: number;
  readonly exp: number;
}

const decoder = new TextDecoder();

export function claimsOf(token: string): Claims {
  const payload = token.split('.')[1] ?? '';
  const text = atob(payload.replaceAll('-', '+').replaceAll('_', '/'));
  return JSON.parse(decoder.decode(Uint8Array.from(text, (letter) => letter.charCodeAt(0)))) as Claims;
}
