import { headroom, measuredRates, publishedLimits } from './costs.ts';
import { needsOf, today, type Needs } from './needs.ts';
import { loadOf, type Load } from './users.ts';

/** A part that is full when more daily users come, and what is done then. */
export interface Limit {
  readonly part: string;
  /** What a cluster has of it by default. */
  readonly has: string;
  /** Daily users at which the default is full. */
  readonly fullAt: number;
  /** What is turned then, and how far that reaches. `Infinity`: as far as one wants. */
  readonly knob: string;
  readonly reaches: number;
  /** What must be built to go further. */
  readonly beyond: string;
}

/** docker-compose.yml starts two processes of each role. FFmpeg keeps two cores of each media worker busy. */
const DEFAULT = { processes: 2, postgresCores: 4, mediaCores: 4, diskBytes: 1e12, diskDays: 90 };

/** The parts in the order in which they give way as a default cluster grows. */
export function limits(): Limit[] {
  const { processes, postgresCores, mediaCores, diskBytes, diskDays } = DEFAULT;
  const cores = ({ writeCores, readCores }: Needs): number => writeCores + readCores;
  const stored = ({ logBytes, readModelBytes, timelineBytes }: Needs): number =>
    (logBytes + readModelBytes + timelineBytes) * diskDays;
  const all: Limit[] = [
    {
      part: 'Media workers',
      has: `${processes} processes, ${mediaCores} cores`,
      fullAt: mostUsers((needs) => needs.mediaCores <= mediaCores),
      knob: 'more `media` processes, `MEDIA_CONCURRENCY` on larger machines',
      reaches: Infinity,
      beyond: 'nothing: uploads wait in the queue meanwhile',
    },
    {
      part: 'API processes',
      has: `${processes} processes`,
      fullAt: mostUsers((needs) => needs.apiProcesses <= processes),
      knob: 'more `api` processes behind a load balancer, with `REDIS_URL`',
      reaches: mostUsers((needs) => needs.apiProcesses < Infinity),
      beyond: 'sockets read by topic: today each API process with a socket reads the whole log',
    },
    {
      part: 'Sockets',
      has: `${processes} processes`,
      fullAt: mostUsers((needs) => needs.socketProcesses <= processes),
      knob: 'more `api` processes; `SOCKETS_PER_ADDRESS` for large offices',
      reaches: mostUsers((needs) => needs.apiProcesses < Infinity),
      beyond: 'the same',
    },
    {
      part: 'Disk of PostgreSQL',
      has: `1 TB for ${diskDays} days`,
      fullAt: mostUsers((needs) => stored(needs) <= diskBytes),
      knob: 'a larger disk; `EVENTSTORE_URL` takes the log off it',
      reaches: mostUsers((needs) => stored(needs) <= 20 * diskBytes),
      beyond: 'the archive (below), and a shorter memory of `timeline`',
    },
    {
      part: 'PostgreSQL, processor',
      has: `one server, ${postgresCores} cores`,
      fullAt: mostUsers((needs) => cores(needs) <= postgresCores),
      knob: `a larger server, ${headroom.postgresCores} cores`,
      reaches: mostUsers((needs) => cores(needs) <= headroom.postgresCores),
      beyond: 'answers that may be a second old, replicas for queries, then read models split by key',
    },
    {
      part: 'Projectors and partitions',
      has: `${processes} processes, 6 partitions`,
      fullAt: mostUsers((needs) => needs.projectors <= processes),
      knob: 'more `projector` processes; `KAFKA_PARTITIONS` with a new `KAFKA_TOPIC`',
      reaches: mostUsers((needs) => needs.writeCores <= headroom.postgresCores),
      beyond: 'read models split by key: PostgreSQL is full before the projectors are',
    },
    {
      part: 'Relay',
      has: 'one is active',
      fullAt: mostUsers((needs) => needs.relays === 1),
      knob: 'none',
      reaches: mostUsers((needs) => needs.relays === 1),
      beyond: 'a relay for each part of the log',
    },
    {
      part: 'Event log in PostgreSQL',
      has: 'one order',
      fullAt: mostUsers((needs) => needs.postgresLogs === 1),
      knob: `none; \`EVENTSTORE_URL\` is not faster (${publishedLimits.eventStoreDbAppends} against ${measuredRates.postgresAppends} appends/s)`,
      reaches: mostUsers((needs) => needs.postgresLogs === 1),
      beyond: 'the log split by stream',
    },
    {
      part: 'Redis',
      has: 'one server',
      fullAt: mostUsers((needs) => needs.redisServers === 1),
      knob: '`RATE_LIMIT_ENABLED=false` behind a gateway that limits',
      reaches: mostUsers(
        (_, { requests }) =>
          requests * (headroom.redisCommandsPerRequest - headroom.redisCommandsOfLimits) <=
          publishedLimits.redisCommands * headroom.full,
      ),
      beyond: 'Redis Cluster: `REDIS_URL` names one server today',
    },
  ];
  return all.toSorted((a, b) => a.fullAt - b.fullAt);
}

/** The most daily users, to three digits, with which the condition holds. It must not hold again above them. */
export function mostUsers(holds: (needs: Needs, load: Load) => boolean): number {
  const holdsAt = (users: number): boolean => {
    const load = loadOf(users);
    return holds(needsOf(load, today), load);
  };
  let [low, high] = [1, 1e12];
  if (holdsAt(high)) return Infinity;
  while (high / low > 1.001) {
    const middle = Math.sqrt(low * high);
    if (holdsAt(middle)) low = middle;
    else high = middle;
  }
  return low;
}
