import { headroom, measuredCosts, measuredRates } from './costs.ts';
import { simulateLag, type Lag, type LagOptions } from './lag.ts';
import { limits } from './limits.ts';
import { everyDesign, needsOf, today, type Needs } from './needs.ts';
import { loadOf, type Load } from './users.ts';

/** The tables of docs/scale.md, by the names in its markers. */
export function scaleTables(): Record<string, string> {
  return { costs: costsTable(), load: loadTable(), needs: needsTable(), limits: limitsTable(), lag: lagTable() };
}

/** Puts the tables between `<!-- name -->` and `<!-- /name -->`. @throws when a marker is missing. */
export function withTables(document: string, tables: Record<string, string>): string {
  return Object.entries(tables).reduce((text, [name, table]) => {
    const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`the document has no place for the table ${name}`);
    return `${text.slice(0, from + begin.length)}\n\n${table}\n${text.slice(to)}`;
  }, document);
}

const SIZES = [10_000, 1_000_000, 100_000_000];

function costsTable(): string {
  const cost = measuredCosts;
  const row = (what: string, api: number, projector: number, postgres: number): string[] => [
    what,
    ...[api, projector, postgres].map((each) => (each === 0 ? '' : round(each))),
  ];
  return markdown(
    ['µs of processor time', 'API process', 'projector', 'PostgreSQL'],
    [
      row('feed page, cached', cost.feedHitApi, 0, 0),
      row('feed page, queried', cost.feedMissApi, 0, cost.feedMissPostgres),
      row('video, signed in, cached', cost.videoHitApi, 0, 0),
      row('video, signed in, queried', cost.videoMissApi, 0, cost.videoMissPostgres),
      row('like, until its read models show it', cost.likeApi, cost.likeProjector, cost.likePostgres),
      row('registration or login', cost.accountApi, 0, 0),
      row('event, in large batches', cost.eventApi, cost.eventProjector, cost.eventPostgres),
      row('the same through Kafka', 0, cost.kafkaEventProjector, 0),
      row(
        'a round of small batches: appends, and a commit of each projection',
        0,
        cost.commitProjector,
        cost.commitPostgres,
      ),
      row('event that a process with a socket reads', cost.socketEventApi, 0, 0),
    ],
  );
}

function loadTable(): string {
  const loads = SIZES.map((users) => loadOf(users));
  const row = (what: string, of: (load: Load) => number): string[] => [what, ...loads.map((load) => round(of(load)))];
  return markdown(
    ['busiest minute, per second', ...SIZES.map((users) => `${round(users)} daily users`)],
    [
      row('requests', ({ requests }) => requests),
      row('views', ({ views }) => views),
      row('likes', ({ likes }) => likes),
      row('uploads', ({ uploads }) => uploads),
      row('events', ({ events }) => events),
      row('open sockets', ({ sockets }) => sockets),
      row('events a day', ({ eventsPerDay }) => eventsPerDay),
    ],
  );
}

function needsTable(): string {
  const columns = [
    ...SIZES.map((users) => ({ head: `${round(users)}, today`, needs: needsOf(loadOf(users), today) })),
    { head: `${round(SIZES[2]!)}, with what is missing`, needs: needsOf(loadOf(SIZES[2]!), everyDesign) },
  ];
  const row = (what: string, show: (needs: Needs) => string): string[] => [
    what,
    ...columns.map(({ needs }) => show(needs)),
  ];
  const count = (of: (needs: Needs) => number) => (needs: Needs) => round(of(needs));
  const size = (of: (needs: Needs) => number) => (needs: Needs) => bytes(of(needs));
  return markdown(
    ['', ...columns.map(({ head }) => head)],
    [
      row(
        'cache hits: feed pages / videos',
        ({ feedHits, videoHits }) => `${percent(feedHits)} / ${percent(videoHits)}`,
      ),
      row(
        'API processes, for requests',
        count(({ apiProcesses }) => apiProcesses),
      ),
      row(
        'API processes, for sockets',
        count(({ socketProcesses }) => socketProcesses),
      ),
      row(
        'event logs in PostgreSQL',
        count(({ postgresLogs }) => postgresLogs),
      ),
      row(
        'or clusters of EventStoreDB',
        count(({ eventStoreDbClusters }) => eventStoreDbClusters),
      ),
      row(
        'relays',
        count(({ relays }) => relays),
      ),
      row(
        'Kafka partitions',
        count(({ partitions }) => partitions),
      ),
      row('Kafka, one copy', (needs) => `${bytes(needs.kafkaBytes)}/s`),
      row(
        'projector processes',
        count(({ projectors }) => projectors),
      ),
      row(
        'PostgreSQL cores: writing / queries',
        ({ writeCores, readCores }) => `${round(writeCores)} / ${round(readCores)}`,
      ),
      row(
        'servers with a part of the read models each',
        count(({ readModelParts }) => readModelParts),
      ),
      row(
        'replicas of each for queries',
        count(({ replicasOfEach }) => replicasOfEach),
      ),
      row(
        'Redis servers',
        count(({ redisServers }) => redisServers),
      ),
      row(
        'cores of media workers',
        count(({ mediaCores }) => mediaCores),
      ),
      row(
        'log, a day',
        size(({ logBytes }) => logBytes),
      ),
      row(
        'topic, a day, one copy',
        size(({ topicBytes }) => topicBytes),
      ),
      row(
        'read models, a day',
        size(({ readModelBytes }) => readModelBytes),
      ),
      row(
        '`timeline`, a day',
        size(({ timelineBytes }) => timelineBytes),
      ),
      row(
        'object storage, a day',
        size(({ mediaBytes }) => mediaBytes),
      ),
    ],
  );
}

function limitsTable(): string {
  return markdown(
    ['part', 'by default', 'full at daily users', 'turn', 'which reaches', 'beyond that (does not exist yet)'],
    limits().map(({ part, has, fullAt, knob, reaches, beyond }) => [
      part,
      has,
      round(fullAt),
      knob,
      reaches === Infinity ? 'any size' : round(reaches),
      beyond,
    ]),
  );
}

const LARGE = loadOf(1_000_000).events;

/** All projections of a member share its thread, and all members share the cores of PostgreSQL. */
export function kafkaLag(
  members: number,
  options: Pick<LagOptions, 'seconds' | 'rate' | 'partitions' | 'outage'>,
): Lag {
  const ofPostgres = (members * measuredCosts.eventPostgres) / headroom.postgresCores;
  return simulateLag({
    ...options,
    members,
    perTransaction: measuredRates.kafkaTransaction,
    perEvent: Math.max(measuredCosts.kafkaEventProjector, ofPostgres) / 1e6,
  });
}

const few = { seconds: 60, partitions: 6 };
const longer = { seconds: 160, rate: () => LARGE };

const scenarios: readonly { readonly what: string; readonly lag: () => Lag; readonly outage?: true }[] = [
  { what: '6 partitions, 2 members', lag: () => kafkaLag(2, { ...few, rate: () => LARGE }) },
  {
    what: 'a burst of ten times, for 10 s',
    lag: () => kafkaLag(2, { ...few, rate: (at) => LARGE * (at >= 20 && at < 30 ? 10 : 1) }),
  },
  {
    what: 'one of the two members is killed; the other takes over after 10 s',
    outage: true,
    lag: () => kafkaLag(2, { ...few, rate: () => LARGE, outage: { from: 20, to: 30, members: 1 } }),
  },
  {
    what: 'both are away for 2 minutes',
    outage: true,
    lag: () => kafkaLag(2, { ...longer, partitions: 6, outage: { from: 20, to: 140, members: 2 } }),
  },
  {
    what: '60 partitions, 20 members: all are away for 2 minutes',
    outage: true,
    lag: () => kafkaLag(20, { ...longer, partitions: 60, outage: { from: 20, to: 140, members: 20 } }),
  },
];

function lagTable(): string {
  const seconds = (value: number): string => (value < 1 ? `${round(value * 1_000)} ms` : `${round(value)} s`);
  const perTransaction = ({ events, transactions }: Lag): string => round(events / transactions);
  return markdown(
    ['1 M daily users, busiest minute', 'median', 'p99', 'worst', 'recovered after', 'events a transaction'],
    scenarios.map(({ what, lag: simulate, outage }) => {
      const lag = simulate();
      return [
        what,
        seconds(lag.median),
        seconds(lag.p99),
        seconds(lag.worst),
        outage === undefined ? '' : seconds(lag.recovered),
        perTransaction(lag),
      ];
    }),
  );
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** Two digits, with the letters of thousands; what cannot be is a dash. */
function round(value: number): string {
  if (value === Infinity) return '**none is enough**';
  if (value < 10) return String(Number(value.toPrecision(2)));
  const [, unit, factor] = UNITS.find(([least]) => value >= least)!;
  return `${Number((value / factor).toPrecision(value / factor < 100 ? 2 : 3))}${unit}`;
}

const UNITS = [
  [1e9, ' G', 1e9],
  [1e6, ' M', 1e6],
  [1e4, ' k', 1e3],
  [0, '', 1],
] as const;

function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  const index = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, value)) / 3));
  return `${Number((value / 1000 ** index).toPrecision(2))} ${units[index]}`;
}
