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

interface Measured {
  readonly rate: number;
  /** CPU µs of an operation. */
  readonly process: number;
  readonly postgres: number;
}

/**
 * Puts both servers under the same load in turns, so that other work of the machine affects both. Returns the medians: operations per
 * second, and the CPU time of one. `postgres` tells the CPU time of the PostgreSQL that both use (`cpuOfPostgres`). `prepare` comes
 * before each load and is not measured.
 */
export async function serversInTurns<Of extends Pick<Server, 'pid'>>(
  rounds: number,
  servers: { readonly ours: Of; readonly theirs: Of; readonly postgres?: (() => number) | undefined },
  load: (server: Of) => Promise<Load>,
  prepare?: (server: Of) => Promise<unknown>,
): Promise<Pick<Comparison, 'ours' | 'theirs' | 'unit' | 'cpu'>> {
  const { postgres } = servers;
  const measure = async (server: Of): Promise<Measured> => {
    await prepare?.(server);
    const before = { process: cpuOf(server.pid), postgres: postgres?.() ?? 0 };
    const { operations, seconds } = await load(server);
    return {
      rate: operations / seconds,
      process: (cpuOf(server.pid) - before.process) / operations,
      postgres: ((postgres?.() ?? 0) - before.postgres) / operations,
    };
  };
  const results = { ours: [] as Measured[], theirs: [] as Measured[] };
  for (let round = 0; round < rounds; round++) {
    results.theirs.push(await measure(servers.theirs));
    results.ours.push(await measure(servers.ours));
  }
  const median = (of: keyof typeof results, figure: keyof Measured): number =>
    percentile(
      results[of].map((each) => each[figure]),
      0.5,
    );
  const cpu = (of: keyof typeof results) => ({
    process: median(of, 'process'),
    ...(postgres && { postgres: median(of, 'postgres') }),
  });
  return {
    ours: median('ours', 'rate'),
    theirs: median('theirs', 'rate'),
    unit: '/s',
    cpu: { ours: cpu('ours'), theirs: cpu('theirs') },
  };
}
