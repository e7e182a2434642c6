/** A metric as it is documented in docs/metrics.md, and registered in the process. */
export interface MetricRow {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  /** The part of the document that it is in. */
  readonly part: string;
  /** What it measures. Also Prometheus's help text. */
  readonly help: string;
  /** What each label says. Every label has a bounded number of values: no ids, no addresses, no paths. */
  readonly labels: Readonly<Record<string, string>>;
  /** The processes that show it. */
  readonly from: string;
  /** The upper bounds of a histogram. */
  readonly buckets?: readonly number[];
}

const LATENCY = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const ITEMS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 5_000];

const EVERY = 'every process';
const API = 'api';
const PROJECTOR = 'projector';
const CONSUMERS = 'projector, media';
const MEDIA = 'media';
const RELAY = 'relay';
const KAFKA_CONSUMERS = 'projector, media (with Kafka)';

/** Every metric of ours. `npm run -s reelstream -- metrics > docs/metrics.md` makes the document from it. */
export const metricTable = {
  api_requests_total: {
    kind: 'counter',
    part: 'HTTP',
    // Names, labels, help texts and buckets of this metric and the next are those of the original server, so that its
    // dashboards still work.
    help: 'Total number of API requests',
    labels: { method: 'the method', status_code: 'the status; 499 when the client left before there was an answer' },
    from: EVERY,
  },
  api_response_duration_seconds: {
    kind: 'histogram',
    part: 'HTTP',
    help: 'API response duration in seconds',
    labels: {},
    from: EVERY,
    buckets: [0.1, 0.2, 0.5, 1, 2, 5],
  },
  reelstream_http_request_duration_seconds: {
    kind: 'histogram',
    part: 'HTTP',
    help: 'Seconds from the first byte of a request to the last byte of its answer',
    labels: {
      method: 'the method; `OTHER` for one that the server does not know',
      route:
        'the path as it is declared (`/api/v1/video/:videoId`), `/media`, `/docs`, `page` for the page and its files, or `none`',
      status: 'the class of the status: `2xx`, `4xx`…',
    },
    from: EVERY,
    buckets: LATENCY,
  },

  reelstream_commands_total: {
    kind: 'counter',
    part: 'Commands and appends',
    help: 'Commands that were handled',
    labels: {
      command: 'the type of the command',
      outcome:
        '`accepted`: it appended events; `unchanged`: nothing had to change; `repeated`: it was in the log already; `refused`; `conflict`: the stream was not at the expected revision; `failed`',
    },
    from: 'api, media',
  },
  reelstream_events_appended_total: {
    kind: 'counter',
    part: 'Commands and appends',
    help: 'Events appended to the log by this process',
    labels: { category: 'the part of the stream name before the hyphen' },
    from: EVERY,
  },
  reelstream_append_duration_seconds: {
    kind: 'histogram',
    part: 'Commands and appends',
    help: 'Seconds that a caller waited for an append',
    labels: { outcome: '`appended`, `conflict`, `refused` or `unavailable`' },
    from: EVERY,
    buckets: LATENCY,
  },
  reelstream_append_conflicts_total: {
    kind: 'counter',
    part: 'Commands and appends',
    help: 'Appends that found their stream at another revision than expected; commands try again',
    labels: { category: 'the part of the stream name before the hyphen' },
    from: EVERY,
  },
  reelstream_append_batch_events: {
    kind: 'histogram',
    part: 'Commands and appends',
    help: 'Events that were written to the log in one transaction; with EventStoreDB, in one call',
    labels: {},
    from: EVERY,
    buckets: ITEMS,
  },

  reelstream_projection_lag_events: {
    kind: 'gauge',
    part: 'Projections',
    help: 'Events between the last one that a projection has applied and the head of the log; with EventStoreDB those of its types, counted up to 2 000',
    labels: { projection: 'its name' },
    from: API,
  },
  reelstream_projection_lag_seconds: {
    kind: 'gauge',
    part: 'Projections',
    help: 'Age of the oldest event that a projection has not applied yet; 0 when there is none',
    labels: { projection: 'its name' },
    from: API,
  },
  reelstream_projection_state: {
    kind: 'gauge',
    part: 'Projections',
    help: 'Whether the tables in place are those that this program declares: 1 for the state that a projection is in',
    labels: { projection: 'its name', state: '`current`, `rebuilding` or `newer`' },
    from: API,
  },
  reelstream_consumer_events_total: {
    kind: 'counter',
    part: 'Projections',
    help: 'Events that a projection or subscriber has applied in this process',
    labels: { consumer: 'the name of the projection or subscriber' },
    from: CONSUMERS,
  },
  reelstream_consumer_batch_duration_seconds: {
    kind: 'histogram',
    part: 'Projections',
    help: 'Seconds until a batch of events was applied and committed, with all its tries',
    labels: { consumer: 'the name of the projection or subscriber' },
    from: CONSUMERS,
    buckets: LATENCY,
  },
  reelstream_consumer_failing: {
    kind: 'gauge',
    part: 'Projections',
    help: 'Whether the last attempt of a projection or subscriber failed: 1 or 0',
    labels: { consumer: 'the name of the projection or subscriber' },
    from: CONSUMERS,
  },
  reelstream_parked_events: {
    kind: 'gauge',
    part: 'Projections',
    help: 'Events that a projection or subscriber could not apply, and those that wait behind them; counted up to 10 000',
    labels: { consumer: 'the name of the projection or subscriber' },
    from: CONSUMERS,
  },
  reelstream_rebuild_progress_ratio: {
    kind: 'gauge',
    part: 'Projections',
    help: 'How much of the log a rebuild that is under way has read, from 0 to 1; 1 while none is',
    labels: { projection: 'its name' },
    from: PROJECTOR,
  },

  reelstream_relay_active: {
    kind: 'gauge',
    part: 'Kafka',
    help: 'Whether this relay is the one that copies the log: 1 or 0',
    labels: {},
    from: RELAY,
  },
  reelstream_relay_lag_events: {
    kind: 'gauge',
    part: 'Kafka',
    help: 'Events that the active relay has not copied to Kafka yet; with EventStoreDB counted up to 2 000',
    labels: {},
    from: RELAY,
  },
  reelstream_relay_lag_seconds: {
    kind: 'gauge',
    part: 'Kafka',
    help: 'Age of the oldest event that the active relay has not copied yet; 0 when there is none',
    labels: {},
    from: RELAY,
  },
  reelstream_consumer_group_lag_records: {
    kind: 'gauge',
    part: 'Kafka',
    help: 'Records in the partitions of this process, as of its last fetch, that its consumers are not done with',
    labels: { group: 'the name of the consumer group, without the topic' },
    from: KAFKA_CONSUMERS,
  },

  reelstream_cache_reads_total: {
    kind: 'counter',
    part: 'Cache',
    help: 'Queries that asked the cache of answers',
    labels: {
      result:
        '`hit`: in this process; `joined`: waited for an equal query; `shared`: in Redis; `miss`: asked the database',
    },
    from: API,
  },

  reelstream_open_reports: {
    kind: 'gauge',
    part: 'Moderation',
    help: 'Videos with reports on which nobody has decided',
    labels: {},
    from: API,
  },

  reelstream_jobs: {
    kind: 'gauge',
    part: 'Jobs and media',
    help: 'Jobs that wait, run, or have failed for the last time; failed jobs are kept for a week',
    labels: { queue: 'the name of the queue', state: '`waiting`, `running` or `failed`' },
    from: MEDIA,
  },
  reelstream_job_oldest_waiting_seconds: {
    kind: 'gauge',
    part: 'Jobs and media',
    help: 'For how long the job that waits longest has been due; 0 when none waits',
    labels: { queue: 'the name of the queue' },
    from: MEDIA,
  },
  reelstream_job_duration_seconds: {
    kind: 'histogram',
    part: 'Jobs and media',
    help: 'Seconds that an attempt of a job took',
    labels: {
      queue: 'the name of the queue',
      outcome:
        '`done`; `failed`: for the last time; `retried`: it will be tried again; `aborted`: cancelled, or the process stopped',
    },
    from: MEDIA,
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_200],
  },
  reelstream_media_work_ratio: {
    kind: 'histogram',
    part: 'Jobs and media',
    help: 'Seconds of work for each second of the clip, by the queue of the job',
    labels: { queue: 'the name of the queue' },
    from: MEDIA,
    buckets: [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20],
  },

  reelstream_sockets: {
    kind: 'gauge',
    part: 'Sockets',
    help: 'Open sockets of this process',
    labels: { port: '`main`, or `legacy`: the port of the original server' },
    from: API,
  },
  reelstream_socket_subscribers: {
    kind: 'gauge',
    part: 'Sockets',
    help: 'Subscriptions on events, with those that are catching up',
    labels: { feed: '`events`, or `log`: the one for admins' },
    from: API,
  },
  reelstream_socket_catch_ups: {
    kind: 'gauge',
    part: 'Sockets',
    help: 'Subscriptions that are reading past events',
    labels: { feed: '`events`, or `log`: the one for admins' },
    from: API,
  },
  reelstream_socket_catch_ups_total: {
    kind: 'counter',
    part: 'Sockets',
    help: 'Subscriptions that began with past events',
    labels: { feed: '`events`, or `log`: the one for admins' },
    from: API,
  },
  reelstream_socket_events_total: {
    kind: 'counter',
    part: 'Sockets',
    help: 'Events that were pushed to subscribers',
    labels: { feed: '`events`, or `log`: the one for admins' },
    from: API,
  },

  reelstream_component_up: {
    kind: 'gauge',
    part: 'The process and what it depends on',
    help: 'Whether a part that this process works with answers, as in /health: 1 or 0',
    labels: { component: 'its name in /health' },
    from: EVERY,
  },
  reelstream_postgres_pool_connections: {
    kind: 'gauge',
    part: 'The process and what it depends on',
    help: 'Connections to PostgreSQL',
    labels: { pool: 'what the connections are for', state: '`used` or `idle`' },
    from: EVERY,
  },
  reelstream_postgres_pool_max_connections: {
    kind: 'gauge',
    part: 'The process and what it depends on',
    help: 'How many connections to PostgreSQL a pool may have',
    labels: { pool: 'what the connections are for' },
    from: EVERY,
  },
  reelstream_postgres_pool_waiting: {
    kind: 'gauge',
    part: 'The process and what it depends on',
    help: 'Callers that wait for a connection to PostgreSQL',
    labels: { pool: 'what the connections are for' },
    from: EVERY,
  },
} as const satisfies Readonly<Record<string, MetricRow>>;

export type MetricName = keyof typeof metricTable;
export type MetricNameOf<Kind extends MetricRow['kind']> = {
  [Name in MetricName]: (typeof metricTable)[Name]['kind'] extends Kind ? Name : never;
}[MetricName];
export type LabelOf<Name extends MetricName> = keyof (typeof metricTable)[Name]['labels'] & string;

/** Metrics of Node.js and the operating system, which prom-client makes. Some exist on Linux only. */
export const processMetrics: Readonly<Record<string, string>> = {
  process_cpu_user_seconds_total: 'Total user CPU time spent in seconds.',
  process_cpu_system_seconds_total: 'Total system CPU time spent in seconds.',
  process_cpu_seconds_total: 'Total user and system CPU time spent in seconds.',
  process_start_time_seconds: 'Start time of the process since unix epoch in seconds.',
  process_resident_memory_bytes: 'Resident memory size in bytes.',
  process_virtual_memory_bytes: 'Virtual memory size in bytes.',
  process_heap_bytes: 'Process heap size in bytes.',
  process_open_fds: 'Number of open file descriptors.',
  process_max_fds: 'Maximum number of open file descriptors.',
  nodejs_eventloop_lag_seconds: 'Lag of event loop in seconds.',
  nodejs_eventloop_lag_min_seconds: 'The minimum recorded event loop delay.',
  nodejs_eventloop_lag_max_seconds: 'The maximum recorded event loop delay.',
  nodejs_eventloop_lag_mean_seconds: 'The mean of the recorded event loop delays.',
  nodejs_eventloop_lag_stddev_seconds: 'The standard deviation of the recorded event loop delays.',
  nodejs_eventloop_lag_p50_seconds: 'The 50th percentile of the recorded event loop delays.',
  nodejs_eventloop_lag_p90_seconds: 'The 90th percentile of the recorded event loop delays.',
  nodejs_eventloop_lag_p99_seconds: 'The 99th percentile of the recorded event loop delays.',
  nodejs_active_resources:
    'Number of active resources that are currently keeping the event loop alive, grouped by async resource type.',
  nodejs_active_resources_total: 'Total number of active resources.',
  nodejs_active_handles: 'Number of active libuv handles grouped by handle type. Every handle type is C++ class name.',
  nodejs_active_handles_total: 'Total number of active handles.',
  nodejs_active_requests:
    'Number of active libuv requests grouped by request type. Every request type is C++ class name.',
  nodejs_active_requests_total: 'Total number of active requests.',
  nodejs_heap_size_total_bytes: 'Process heap size from Node.js in bytes.',
  nodejs_heap_size_used_bytes: 'Process heap size used from Node.js in bytes.',
  nodejs_external_memory_bytes: 'Node.js external memory size in bytes.',
  nodejs_heap_space_size_total_bytes: 'Process heap space size total from Node.js in bytes.',
  nodejs_heap_space_size_used_bytes: 'Process heap space size used from Node.js in bytes.',
  nodejs_heap_space_size_available_bytes: 'Process heap space size available from Node.js in bytes.',
  nodejs_version_info: 'Node.js version info.',
  nodejs_gc_duration_seconds: 'Garbage collection duration by kind, one of major, minor, incremental or weakcb.',
};
