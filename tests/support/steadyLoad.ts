import { setTimeout as delay } from 'node:timers/promises';
import { PersistentClient } from './systemLoad.ts';

export interface LoadRequest {
  readonly base: string;
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Requests at a steady rate, until `stop`. */
export interface SteadyLoad {
  /** How many were answered so far. */
  readonly answered: number;
  /** Those that were answered with an error, or not at all. */
  readonly failures: readonly string[];
  /** Resolves when the requests under way are answered. Sends none until `resume`. */
  pause(): Promise<void>;
  resume(): void;
  stop(): Promise<void>;
}

/** `next` makes the nth request. A client sends one at a time; a client that is late sends at once. */
export function startSteadyLoad(
  { perSecond, clients }: { perSecond: number; clients: number },
  next: (n: number) => LoadRequest,
): SteadyLoad {
  let [n, answered, stopped] = [0, 0, false];
  const failures: string[] = [];
  let gate = Promise.withResolvers<void>();
  gate.resolve();
  const underWay = new Set<Promise<void>>();
  let began = performance.now();

  async function send(client: PersistentClient, { base, method, path, headers = {} }: LoadRequest): Promise<void> {
    const outcome = await client.send(base, method, path, headers);
    if (outcome.kind === 'answered' && outcome.status < 400) answered++;
    else failures.push(`${method} ${path}: ${JSON.stringify(outcome)}`);
  }

  const loops = Array.from({ length: clients }, async () => {
    const client = new PersistentClient();
    while (!stopped) {
      const mine = n++;
      await delay(Math.max(0, began + (mine * 1_000) / perSecond - performance.now()));
      await gate.promise;
      if (stopped) break;
      const sending = send(client, next(mine));
      underWay.add(sending);
      await sending;
      underWay.delete(sending);
    }
    client.close();
  });

  return {
    get answered() {
      return answered;
    },
    failures,
    async pause() {
      gate = Promise.withResolvers();
      await Promise.all(underWay);
    },
    resume() {
      // What was not sent meanwhile is not made up for.
      began = performance.now() - (n * 1_000) / perSecond;
      gate.resolve();
    },
    async stop() {
      stopped = true;
      gate.resolve();
      await Promise.all(loops);
    },
  };
}
