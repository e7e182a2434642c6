import type { App } from '../app/startApp.ts';
import type { Config } from '../config/config.ts';
import { ownUrl } from '../config/ownUrl.ts';

/** What a user needs to know after a start. */
export function welcome({ port, socketPort, firstStart }: App, { role, dataDir, host, databaseUrl }: Config): string {
  const url = ownUrl(host, port);
  const lines = [
    `ReelStream (${role}) listens on ${url}${socketPort === undefined ? '' : `, and on port ${socketPort} for Socket.io clients of the original server`}.`,
    `Its data is in ${databaseUrl === undefined ? dataDir : `the database of DATABASE_URL and in ${dataDir}`}.`,
  ];
  if (role === 'serve' || role === 'api') lines.push(`Its documentation is at ${url}/docs.`);
  if (firstStart) lines.push(`A first tour, in another terminal: examples/tour.sh${port === 3000 ? '' : ` ${url}`}`);
  return lines.join('\n');
}
