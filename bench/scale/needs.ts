import { hitsOfOneKey, hitsOfZipf } from './cacheHits.ts';
import { headroom, measuredCosts as cost, measuredRates, publishedLimits } from './costs.ts';
import { behaviour, type Load } from './users.ts';

/** Changes of the design that do not exist yet, and without which the largest sizes cannot be reached. */
export interface Designs {
  /** API processes read only the events that their own sockets ask for, and not the whole log. */
  readonly feedByTopic: boolean;
  /** A cached answer may be a second old, whatever has been committed meanwhile. */
  readonly answersOfASecond: boolean;
  /** The log, its relay and its topic exist several times, each for a part of the streams. */
  readonly splitLog: boolean;
}

export const today: Designs = { feedByTopic: false, answersOfASecond: false, splitLog: false };
export const everyDesign: Designs = { feedByTopic: true, answersOfASecond: true, splitLog: true };

/** What a load needs of each part in the busiest minute. `Infinity`: no number of them is enough. */
export interface Needs {
  readonly feedHits: number;
  readonly videoHits: number;
  readonly apiProcesses: number;
  readonly socketProcesses: number;
  readonly projectors: number;
  readonly partitions: number;
  readonly kafkaBytes: number;
  readonly relays: number;
  /** Logs in PostgreSQL, or clusters of EventStoreDB. */
  readonly postgresLogs: number;
  readonly eventStoreDbClusters: number;
  /** Cores of PostgreSQL for appends and projections, and for queries. */
  readonly writeCores: number;
  readonly readCores: number;
  /** Servers that hold a part of the read models each, and replicas of each of them for queries. */
  readonly readModelParts: number;
  readonly replicasOfEach: number;
  readonly redisServers: number;
  readonly mediaCores: number;
  /** Bytes a day. Kafka's are of one copy. */
  readonly logBytes: number;
  readonly topicBytes: number;
  readonly readModelBytes: number;
  readonly timelineBytes: number;
  readonly mediaBytes: number;
}

const MICROSECONDS = 1e6;
/** Partitions for each member, so that those of a killed one spread over several others. */
const PARTITIONS_EACH = 3;
/** KAFKA_PARTITIONS. */
const FEWEST_PARTITIONS = 6;

export function needsOf(load: Load, designs: Designs = today): Needs {
  const busy = headroom.full * MICROSECONDS;
  const { commitsPerSecond } = measuredRates;
  const projectors = Math.ceil(
    (load.events * cost.kafkaEventProjector) / (busy - commitsPerSecond * cost.commitProjector),
  );
  const kafkaBytes = load.events * cost.kafkaBytes;
  const onePartition = publishedLimits.kafkaBytesPerPartition * headroom.full;
  const partitions = Math.max(FEWEST_PARTITIONS, projectors * PARTITIONS_EACH, Math.ceil(kafkaBytes / onePartition));
  const logs = (perSecond: number): number => split(load.events / (perSecond * headroom.full), designs);
  const api = apiNeeds(load, designs, projectors);
  const commits = Math.min(load.events, projectors * commitsPerSecond);
  const writeCores = (load.events * cost.eventPostgres + commits * cost.commitPostgres) / busy;
  const server = headroom.postgresCores;
  const kept = load.eventsPerDay * (cost.readModelBytes + cost.timelineBytes) * headroom.readModelDays;
  const readModelParts = Math.max(1, Math.ceil(writeCores / server), Math.ceil(kept / headroom.postgresBytes));
  const leftForQueries = readModelParts * server - writeCores;
  return {
    ...api,
    projectors,
    partitions,
    kafkaBytes,
    relays: logs(measuredRates.relay),
    postgresLogs: logs(measuredRates.postgresAppends),
    eventStoreDbClusters: logs(publishedLimits.eventStoreDbAppends),
    writeCores,
    readModelParts,
    replicasOfEach: Math.ceil(Math.max(0, api.readCores - leftForQueries) / server / readModelParts),
    redisServers: Math.ceil(
      (load.requests * headroom.redisCommandsPerRequest) / (publishedLimits.redisCommands * headroom.full),
    ),
    socketProcesses: Math.ceil(load.sockets / (publishedLimits.socketsPerProcess * headroom.full)),
    mediaCores: (load.uploads * behaviour.clipSeconds * cost.mediaPerClipSecond) / busy,
    logBytes: load.eventsPerDay * cost.logBytes,
    topicBytes: load.eventsPerDay * cost.kafkaBytes,
    readModelBytes: load.eventsPerDay * cost.readModelBytes,
    timelineBytes: load.eventsPerDay * cost.timelineBytes,
    mediaBytes:
      load.uploadsPerDay *
      behaviour.clipSeconds *
      (behaviour.originalBytesPerSecond + behaviour.renditionBytesPerSecond),
  };
}

/** Without the design, more than one is no help: all events have one order. */
function split(wanted: number, { splitLog }: Designs): number {
  return wanted <= 1 ? 1 : splitLog ? Math.ceil(wanted) : Infinity;
}

type ApiNeeds = Pick<Needs, 'feedHits' | 'videoHits' | 'apiProcesses' | 'readCores'>;

function apiNeeds(load: Load, { feedByTopic, answersOfASecond }: Designs, projectors: number): ApiNeeds {
  const busy = headroom.full * MICROSECONDS;
  const commits = answersOfASecond ? 0 : Math.min(load.events, projectors * measuredRates.commitsPerSecond);
  // Each API process hears of every event; with a socket it also reads it.
  const hearing = feedByTopic ? 0 : load.events * (cost.eventApi + cost.socketEventApi);
  let apiProcesses = 1;
  for (;;) {
    const firstPages = load.feedPages * behaviour.firstPages;
    const feedHits = behaviour.firstPages * hitsOfOneKey(firstPages / apiProcesses, commits);
    const videoHits = hitsOfZipf(load.views / apiProcesses, Math.max(1, load.activeVideos), commits);
    const between = (hits: number, hit: number, miss: number): number => hits * hit + (1 - hits) * miss;
    const work =
      load.feedPages * between(feedHits, cost.feedHitApi, cost.feedMissApi) +
      load.views * between(videoHits, cost.videoHitApi, cost.videoMissApi) +
      load.likes * cost.likeApi +
      load.passwordChecks * cost.accountApi;
    const queries =
      load.feedPages * (1 - feedHits) * cost.feedMissPostgres + load.views * (1 - videoHits) * cost.videoMissPostgres;
    const needed = hearing < busy ? Math.max(1, Math.ceil(work / (busy - hearing))) : Infinity;
    // More processes have fewer hits each, so the number only rises.
    if (needed <= apiProcesses || needed === Infinity)
      return { feedHits, videoHits, apiProcesses: needed, readCores: queries / busy };
    apiProcesses = needed;
  }
}
