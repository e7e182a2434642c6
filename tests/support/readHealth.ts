import { eventually } from './eventually.ts';

/** What /health says of a process. */
export interface ReadHealth {
  readonly status: number;
  readonly components: Readonly<Record<string, { readonly status: 'up' | 'down' }>>;
  /** Milliseconds until the whole answer was there. */
  readonly took: number;
}

/** Reads /health of a process, on a connection of its own. */
export async function readHealth(url: string): Promise<ReadHealth> {
  const started = performance.now();
  const response = await fetch(`${url}/health`, { headers: { connection: 'close' } });
  const { components = {} } = (await response.json()) as { components?: ReadHealth['components'] };
  return { status: response.status, components, took: performance.now() - started };
}

/**
 * Waits until these components are down, and then reads three times, one after the other. Returns the last answer with the
 * shortest time: this machine may be late at any time, and a component that is waited for delays each answer.
 */
export async function readHealthWithout(url: string, components: readonly string[]): Promise<ReadHealth> {
  // A report is repeated for a second, so the first answers may be from before the fault.
  await eventually(async () => downIn(await readHealth(url)), {
    within: 60_000,
    what: `${components.join(' and ')} of ${url} is down`,
    holds: (down) => components.every((name) => down.includes(name)),
  });
  const read = [await readHealth(url), await readHealth(url), await readHealth(url)] as const;
  return { ...read[2], took: Math.min(...read.map(({ took }) => took)) };
}

/** The components that are down. */
export function downIn({ components }: ReadHealth): string[] {
  return Object.keys(components).filter((name) => components[name]!.status === 'down');
}
