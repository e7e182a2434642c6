import { cpuOf } from './cpuTime.ts';
import { percentile, type Comparison } from './benchmark.ts';

/** A server under load: ours, or a peer. */
export interface Server {
  readonly url: string;
  /** Of its main process. */
  readonly pid: number;
}

/** What a load did: operations that were answered well, and how long they took in all. */
export interface Load {
  readonly operations: number;
  readonly seconds: number;
}

export interface Measured {
  readonly rate: number;
  /** CPU µs of an operation. */
  readonly process: number;
  readonly postgres?: number;
}

/** What loads in turns gave. */
export interface Turns {
  readonly ours: readonly Measured[];
  readonly theirs: readonly Measured[];
}

/**
 * Puts both servers under the same load in turns, so that other work of the machine affects both. `postgres` tells the CPU time of
 * the PostgreSQL that both use (`cpuOfPostgres`). `prepare` comes before each load and is not measured.
 */
export async function takeTurns<Of extends Pick<Server, 'pid'>>(
  rounds: number,
  servers: { readonly ours: Of; readonly theirs: Of; readonly postgres?: (() => number) | undefined },
  load: (server: Of) => Promise<Load>,
  prepare?: (server: Of) => Promise<unknown>,
): Promise<Turns> {
  const { postgres } = servers;
  const measure = async (server: Of): Promise<Measured> => {
    await prepare?.(server);
    const before = { process: cpuOf(server.pid), postgres: postgres?.() ?? 0 };
    const { operations, seconds } = await load(server);
    return {
      rate: operations / seconds,
      process: (cpuOf(server.pid) - before.process) / operations,
      ...(postgres && { postgres: (postgres() - before.postgres) / operations }),
    };
  };
  const turns = { ours: [] as Measured[], theirs: [] as Measured[] };
  for (let round = 0; round < rounds; round++) {
    turns.theirs.push(await measure(servers.theirs));
    turns.ours.push(await measure(servers.ours));
  }
  return turns;
}

/** The medians: operations per second, and the CPU time of one. */
export function mediansOf(turns: Turns): Pick<Comparison, 'ours' | 'theirs' | 'unit' | 'cpu'> {
  const median = (of: readonly Measured[], figure: (each: Measured) => number): number =>
    percentile(of.map(figure), 0.5);
  const cpu = (of: readonly Measured[]) => ({
    process: median(of, ({ process }) => process),
    ...(of[0]?.postgres !== undefined && { postgres: median(of, ({ postgres }) => postgres!) }),
  });
  return {
    ours: median(turns.ours, ({ rate }) => rate),
    theirs: median(turns.theirs, ({ rate }) => rate),
    unit: '/s',
    cpu: { ours: cpu(turns.ours), theirs: cpu(turns.theirs) },
  };
}

/** The medians of turns between servers that were started once. */
export async function serversInTurns<Of extends Pick<Server, 'pid'>>(
  ...turns: Parameters<typeof takeTurns<Of>>
): Promise<ReturnType<typeof mediansOf>> {
  return mediansOf(await takeTurns(...turns));
}
