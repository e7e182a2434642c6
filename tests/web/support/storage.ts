import type { BrowserContextOptions } from 'playwright-core';
import { call, refreshCookie, type Credentials } from '../../support/systemClient.ts';
import { profile } from '../../support/system.ts';

/**
 * Logs somebody in over the API, and returns what their browser keeps of it. It is good for one browser: the cookie can be
 * used once.
 */
export async function storageAfterLogin(
  { email, password }: Credentials,
  server: string,
): Promise<Exclude<BrowserContextOptions['storageState'], string>> {
  const answer = await call(server, 'POST', '/api/v1/auth/login', { json: { email, password } });
  if (answer.status !== 200) throw new Error(`logging in answered ${answer.status}: ${answer.text}`);
  const [name, value] = refreshCookie(answer).split('=') as [string, string];
  const { hostname, origin } = new URL(server);
  return {
    cookies: [
      {
        name,
        value,
        domain: hostname,
        path: '/api/v1/auth',
        expires: -1,
        httpOnly: true,
        secure: profile === 'cluster',
        sameSite: 'Lax',
      },
    ],
    origins: [{ origin, localStorage: [{ name: 'reelstream.signedIn', value: 'yes' }] }],
  };
}
