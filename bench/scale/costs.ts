/**
 * What our own parts cost, measured by `npm run bench -- scaleCosts`: CPU time in µs of one core, or bytes. A virtual machine with two
 * cores of an AMD EPYC, Node 24, PostgreSQL 18 with fsync.
 */
export const measuredCosts = {
  /** A feed page from the process's cache, and one that is queried (as recorded in bench/README.md for 32 callers). */
  feedHitApi: 39,
  feedMissApi: 138,
  feedMissPostgres: 68,
  /** By a signed-in user, with `isLiked`, and with the view that it counts. */
  videoHitApi: 115,
  videoMissApi: 251,
  videoMissPostgres: 188,
  /** A like or unlike over HTTP, until its read models show it. */
  likeApi: 140,
  likeProjector: 100,
  likePostgres: 173,
  /** A registration or a login, nearly all of it the hash of the password. */
  accountApi: 27_500,
  /** An event of a flood, in large batches, through all projections. */
  eventProjector: 21,
  eventPostgres: 62,
  /**
   * What small batches cost more: the appends and the commit of every projection, spread over `commitsPerSecond` rounds of one
   * projector.
   */
  commitProjector: 2_550,
  commitPostgres: 4_760,
  /** The same event when it comes through Kafka, which has to be parsed. Measured by `scaleKafka`. */
  kafkaEventProjector: 37,
  /** The same event in each API process: what it hears of the log, and what it reads more when it has a socket. */
  eventApi: 0.5,
  socketEventApi: 7.5,
  /** Inspecting and transcoding one second of a 720p clip, all threads. */
  mediaPerClipSecond: 198_000,
  /** Bytes per event, with indexes. `timeline` is the read model that as-of answers need; `readModelBytes` are the others. */
  logBytes: 589,
  readModelBytes: 111,
  timelineBytes: 463,
  kafkaBytes: 763,
};

/** Measured by `npm run bench -- scaleKafka`, `relay` and `appends`, on the same machine. Events per second, or ms. */
export const measuredRates = {
  /** Appends from 32 callers to one PostgreSQL, each with one event (bench/README.md). */
  postgresAppends: 25_700,
  /** One relay copies a backlog to Kafka. */
  relay: 20_000,
  /** At 200 events/s through 6 partitions to 2 members: from the append until a process of the API hears of the rows (ms). */
  kafkaMedian: 35,
  kafkaP99: 58,
  /** How long a transaction of a few events takes on a machine that does other things too. It fits the two figures above (s). */
  kafkaTransaction: 0.006,
  /** A projector commits at most so often while events flow: a pause of 5 ms, and the transaction. */
  commitsPerSecond: 60,
};

/** Published by others, where nothing could be measured here. docs/scale.md names the sources. */
export const publishedLimits = {
  /** Appends per second to one EventStoreDB cluster; every node of a cluster writes all events. */
  eventStoreDbAppends: 15_000,
  /** "10s of MB/s" can be written to one partition. */
  kafkaBytesPerPartition: 10_000_000,
  /** Commands per second of one Redis without pipelining. */
  redisCommands: 100_000,
  /** PUT per second and prefix of S3. */
  objectPuts: 3_500,
  /** Socket.io's own measurement goes up to so many clients in one process. */
  socketsPerProcess: 10_000,
};

/** Chosen by us. */
export const headroom = {
  /** A part is full at this share of its limit: queues grow quickly above it. */
  full: 0.6,
  /** Cores of the largest PostgreSQL server that we would run. */
  postgresCores: 32,
  /** And its disk. */
  postgresBytes: 20e12,
  /** Days that read models keep. Most of it is `timeline`. */
  readModelDays: 30,
  /** For a view, with a miss in the process's cache: two to limit the request, two to count the view, two for the shared cache. */
  redisCommandsPerRequest: 6,
  redisCommandsOfLimits: 3,
};
