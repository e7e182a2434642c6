import type { App } from '../app/startApp.ts';
import type { Config } from '../config/config.ts';
import { ownUrl } from '../config/ownUrl.ts';
import { programName } from './command.ts';

/** What a user needs to know after a start. */
export function welcome(
  { port, socketPort, firstStart, admins }: App,
  { role, dataDir, host, databaseUrl, firstUserIsAdmin }: Config,
): string {
  const url = ownUrl(host, port);
  const lines = [
    `ReelStream (${role}) listens on ${url}${socketPort === undefined ? '' : `, and on port ${socketPort} for Socket.io clients of the original server`}.`,
    `Its data is in ${databaseUrl === undefined ? dataDir : `the database of DATABASE_URL and in ${dataDir}`}.`,
  ];
  if (role === 'serve' || role === 'api') lines.push(`Its documentation is at ${url}/docs.`);
  if (admins === 'no account' && firstUserIsAdmin)
    lines.push(
      'The first account that registers becomes the administrator (FIRST_USER_IS_ADMIN=false turns this off).',
    );
  if (admins === 'no admin')
    lines.push(`No account is an administrator. To make one an administrator: ${programName} admins grant <e-mail>`);
  if (firstStart) lines.push(`A first tour, in another terminal: examples/tour.sh${port === 3000 ? '' : ` ${url}`}`);
  return lines.join('\n');
}
