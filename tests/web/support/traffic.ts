import type { BrowserContext } from 'playwright-core';

/** What the pages of a visitor sent and got, for the message of a test that failed. */
export interface Traffic {
  readonly lines: readonly string[];
}

/** Older lines are left out. */
const KEPT = 120;
/** Characters of a line. */
const LONGEST = 300;

/** Keeps the last requests to the API with their answers, and the messages of web sockets, with the time of each. */
export function recordTraffic(context: BrowserContext): Traffic {
  const lines: string[] = [];
  const add = (line: string): void => {
    lines.push(`${new Date().toISOString().slice(11, 23)} ${line.slice(0, LONGEST)}`);
    if (lines.length > KEPT) lines.shift();
  };
  context.on('request', (request) => {
    if (!isCall(request.url())) return;
    const minPosition = request.headers()['x-min-position'];
    add(`> ${request.method()} ${pathOf(request.url())}${minPosition === undefined ? '' : ` since ${minPosition}`}`);
  });
  context.on('response', (response) => {
    if (!isCall(response.url())) return;
    const request = response.request();
    const ends = (body: string): void =>
      add(`< ${response.status()} ${request.method()} ${pathOf(response.url())} ${body}`);
    response.text().then(ends, () => ends(''));
  });
  context.on('requestfailed', (request) => {
    if (isCall(request.url()))
      add(`! ${request.method()} ${pathOf(request.url())} ${request.failure()?.errorText ?? ''}`);
  });
  context.on('page', (page) =>
    page.on('websocket', (socket) => {
      add(`socket opens`);
      socket.on('framesent', ({ payload }) => add(`socket > ${String(payload)}`));
      socket.on('framereceived', ({ payload }) => add(`socket < ${String(payload)}`));
      socket.on('close', () => add('socket closed'));
    }),
  );
  return { lines };
}

function isCall(url: string): boolean {
  return new URL(url).pathname.startsWith('/api/');
}

function pathOf(url: string): string {
  const { pathname, search } = new URL(url);
  return pathname + search;
}
