import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from './eventually.ts';
import { call, type Answer } from './systemClient.ts';
import type { UpgradeFixture } from './upgradeFixture.ts';

/** The pause between two requests of one client, since the server starts on the same machine (ms). */
const PAUSE_MS = 10;

export interface UpgradeLoad extends AsyncDisposable {
  /** Resolves when each client has received that many more answers. */
  more(answers: number): Promise<void>;
  /** Ends the requests. Returns those that failed, and how many were answered with `projection_rebuilding`. */
  stop(): Promise<{ readonly failures: readonly string[]; readonly rebuilding: number }>;
}

/**
 * Clients that send one request after the other: the queries of all people, and a like that one person adds and removes.
 * They begin before the server listens. Once it has answered one of them, no request may fail.
 */
export function startUpgradeLoad(base: string, { queries, people, video }: UpgradeFixture): UpgradeLoad {
  const stopping = new AbortController();
  const failures: string[] = [];
  const answers: number[] = [];
  let rebuilding = 0;
  let isOpen = false;

  async function send(client: number, method: string, path: string, token: string | undefined): Promise<void> {
    try {
      judge(`${method} ${path}`, await call(base, method, path, token === undefined ? {} : { token }));
    } catch (error) {
      if (isOpen) failures.push(`${method} ${path}: ${String(error)}`);
    }
    answers[client] = (answers[client] ?? 0) + 1;
    await delay(PAUSE_MS);
  }

  function judge(request: string, { status, body, headers }: Answer<unknown>): void {
    if (status < 400) isOpen = true;
    else if (status === 503 && body?.code === 'projection_rebuilding' && headers.has('retry-after')) rebuilding++;
    else if (isOpen) failures.push(`${request}: ${status} ${body?.code}`);
  }

  /** Repeats the request until there is an answer, because the server may not listen yet. */
  async function logIn(person: number): Promise<string | undefined> {
    const { email, password } = people[person]!;
    while (!stopping.signal.aborted) {
      const answer = await call<{ accessToken: string }>(base, 'POST', '/api/v1/auth/login', {
        json: { email, password },
      }).catch(() => undefined);
      if (answer?.status === 200) return answer.data.accessToken;
      await delay(PAUSE_MS);
    }
    return undefined;
  }

  const loggingIn = Promise.all(people.map((_, person) => logIn(person)));

  async function ask(client: number): Promise<void> {
    const tokens = await loggingIn;
    for (let n = client; !stopping.signal.aborted; n++) {
      const { path, person } = queries[n % queries.length]!;
      await send(client, 'GET', path, person === undefined ? undefined : tokens[person]);
    }
  }

  async function watchFeed(client: number): Promise<void> {
    while (!stopping.signal.aborted) await send(client, 'GET', '/api/v1/video', undefined);
  }

  async function like(client: number): Promise<void> {
    const [, token] = await loggingIn;
    while (!stopping.signal.aborted)
      for (const method of ['PUT', 'DELETE']) await send(client, method, `/api/v1/video/${video}/like`, token);
  }

  async function stop(): ReturnType<UpgradeLoad['stop']> {
    stopping.abort();
    await running;
    return { failures, rebuilding };
  }

  const clients = [ask, watchFeed, like];
  const running = Promise.all(clients.map((client, n) => client(n)));
  return {
    async more(count) {
      const wanted = clients.map((_, client) => (answers[client] ?? 0) + count);
      await eventually(() => wanted.every((least, client) => (answers[client] ?? 0) >= least), {
        what: 'each client has so many more answers',
      });
    },
    stop,
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
}
