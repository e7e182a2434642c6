import type { Config, Role } from '../config/config.ts';
import { StartError } from '../core/startError.ts';

/** How many connections each pool of a process may open. */
export type Connections = Readonly<Record<string, number>>;
type PoolName = keyof typeof sizes;

/** With fewer than `least`, work that holds one connection could wait for another one without end. */
interface Size {
  readonly least: number;
  /** More would not make it faster. */
  readonly most: number;
}

const sizes = {
  /** In a process that answers requests, one hears notifications. To discard a parked event takes two: its lock, and its transaction. */
  queries: { least: 3, most: 10 },
  /** Users' keys. Apart from the others, because transactions that hold those connections wait for keys. */
  keys: { least: 1, most: 2 },
  /** One hears notifications. */
  log: { least: 3, most: 8 },
  relay: { least: 2, most: 4 },
  /** One hears notifications. */
  jobs: { least: 3, most: 5 },
  /** Every consumer of a process without Kafka. Two rebuilds hold a lock each, and one of them needs two writers. */
  consumers: { least: 5, most: 14 },
  /** Consumer groups of Kafka. */
  projections: { least: 5, most: 13 },
  media: { least: 2, most: 6 },
  /** Two rebuilds and a verification with the locks that they hold, the reports of their progress, and the look for more. */
  operations: { least: 8, most: 10 },
} as const satisfies Record<string, Size>;

type Settings = Pick<Config, 'databaseConnections' | 'eventStoreUrl' | 'kafka'>;

/** @throws StartError when DATABASE_CONNECTIONS is too small for these roles. */
export function connectionsOf(config: Settings, roles: readonly Role[]): Connections {
  const has = (role: Role): boolean => roles.includes(role) || roles.includes('serve');
  const withKafka = config.kafka !== undefined;
  const pools: [PoolName, boolean][] = [
    ['relay', has('relay') && withKafka],
    ['jobs', has('media')],
    ['consumers', (has('projector') || has('media')) && !withKafka],
    ['projections', has('projector') && withKafka],
    ['media', has('media') && withKafka],
    ['operations', has('projector')],
  ];
  const names = pools.filter(([, isOpened]) => isOpened).map(([name]) => name);
  return share(config, names, `"${roles.join('", "')}"`);
}

/** Of a command that reads or writes the log. */
export function connectionsOfCommand(config: Settings): Connections {
  return share(config, [], 'a command');
}

function share(config: Settings, others: readonly PoolName[], what: string): Connections {
  const names: PoolName[] = [
    'queries',
    'keys',
    ...(config.eventStoreUrl === undefined ? (['log'] as const) : []),
    ...others,
  ];
  const { databaseConnections: budget } = config;
  const least = total(names, 'least');
  if (budget < least) {
    const parts = names.map((name) => `${name} ${sizes[name].least}`).join(', ');
    throw new StartError(`DATABASE_CONNECTIONS must be at least ${least} for ${what}, not ${budget}: ${parts}.`);
  }
  const spare = Math.min(1, (budget - least) / Math.max(1, total(names, 'most') - least));
  return Object.fromEntries(
    names.map((name) => [name, sizes[name].least + Math.floor(spare * (sizes[name].most - sizes[name].least))]),
  );
}

const total = (names: readonly PoolName[], end: keyof Size): number =>
  names.reduce((sum, name) => sum + sizes[name][end], 0);
