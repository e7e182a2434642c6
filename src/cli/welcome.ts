import type { App } from '../app.ts';
import type { Config } from '../config.ts';
import { ownUrl } from '../ownUrl.ts';

/** What a person who has just started this wants to know. */
export function welcome({ port, socketPort, firstStart }: App, { role, dataDir, host, databaseUrl }: Config): string {
  const url = ownUrl(host, port);
  const lines = [
    `ReelStream (${role}) listens on ${url}${socketPort === undefined ? '' : `, and on port ${socketPort} for sockets of the first version's clients`}.`,
    `Its data is in ${databaseUrl === undefined ? dataDir : `the database that DATABASE_URL names, and in ${dataDir}`}.`,
  ];
  return [...lines, ...(firstStart ? tour(url) : [])].join('\n');
}

function tour(url: string): string[] {
  const json = `-H 'Content-Type: application/json'`;
  return [
    '',
    'A first tour, in another terminal; clip.mp4 is any video of yours, 60 seconds at most:',
    `  curl ${url}/api/v1/auth/register ${json} -d '{"name":"Ada Lovelace","username":"ada","email":"ada@example.org","password":"engine-1843"}'`,
    `  TOKEN=$(curl -s ${url}/api/v1/auth/login ${json} -d '{"email":"ada@example.org","password":"engine-1843"}' | sed 's/.*"accessToken":"\\([^"]*\\)".*/\\1/')`,
    `  curl ${url}/api/v1/video/upload -H "Authorization: Bearer $TOKEN" -F video=@clip.mp4 -F 'data={"title":"My first reel","description":"Made today"}'`,
    '',
  ];
}
