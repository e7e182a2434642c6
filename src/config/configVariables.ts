import { z } from 'zod';
import {
  bool,
  duration,
  emailAddresses,
  integer,
  key,
  keys,
  list,
  oneOf,
  port,
  share,
  text,
  trustProxy,
  url,
  webAddress,
} from './configSchemas.ts';

interface Variable<Schema extends z.ZodType> {
  /** Reads the text of the variable, or `undefined` when it is not set. */
  readonly schema: Schema;
  /** The text in .env.example and in error messages: the default, or a good value where there is no default. */
  readonly example: string;
  /** The comment in .env.example. Empty when the variable belongs to the one above it. */
  readonly meaning: string;
}

const withDefault = <Schema extends z.ZodType>(
  schema: Schema,
  fallback: string & z.input<Schema>,
  meaning: string,
): Variable<z.ZodPrefault<Schema>> => ({ schema: z.prefault(schema, fallback), example: fallback, meaning });

const optional = <Schema extends z.ZodType>(
  schema: Schema,
  example: string,
  meaning: string,
): Variable<z.ZodOptional<Schema>> => ({ schema: z.optional(schema), example, meaning });

const RANDOM_KEY = '<openssl rand -base64 32>';
const RANDOM_TOKEN = '<openssl rand -hex 20>';

/** Every variable that ReelStream reads, in the order of .env.example. */
export const variables = {
  NODE_ENV: withDefault(
    text,
    'development',
    'production: cookies are secure, and secrets must be set when DATABASE_URL is',
  ),
  PORT: withDefault(
    port,
    '3000',
    'port for HTTP and Socket.io; in a process of its own, a projector has 3010, media 3020 and the relay 3030',
  ),
  SOCKET_PORT: withDefault(port, '3002', 'port for Socket.io clients of the original server'),
  LEGACY_SOCKET: withDefault(
    bool,
    'true',
    'whether SOCKET_PORT is open; like the original server, it sends the upload progress to every socket, and does not name the video',
  ),
  HOST: optional(text, '127.0.0.1', 'address to listen on; every address when unset'),
  PUBLIC_URL: optional(
    webAddress,
    'https://reels.example.org',
    'where clients reach this server; the addresses of videos that it serves begin with it; when unset, http://localhost:PORT or http://HOST:PORT',
  ),
  TRUST_PROXY: withDefault(
    trustProxy,
    'false',
    'the proxies whose X-Forwarded-For is believed: their addresses, or how many there are; true believes everybody and is refused in production',
  ),
  CORS_ORIGIN: withDefault(
    list,
    '*',
    'origins whose pages may call the API with cookies; * lets all others call it without cookies, and outside production lets local pages call it with cookies',
  ),
  LOG_LEVEL: withDefault(
    oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
    'info',
    'least important level that is logged',
  ),
  LOG_FORMAT: optional(
    oneOf(['json', 'pretty']),
    'pretty',
    'json: a JSON object a line; pretty: for people; when unset, pretty on a terminal and json elsewhere',
  ),
  SHUTDOWN_SECONDS: withDefault(integer(1, 3_600), '25', 'time for requests and jobs to finish after SIGTERM'),
  DATA_DIR: withDefault(text, './data', 'folder for the embedded PostgreSQL, videos and generated secrets'),

  JWT_SECRET: optional(text, RANDOM_KEY, 'signs access tokens; generated once and kept in DATA_DIR when unset'),
  JWT_SECRET_ACCEPTED: optional(
    list,
    RANDOM_KEY,
    'further secrets whose access tokens are accepted while JWT_SECRET is replaced: first the next one, then the earlier one; separated by commas',
  ),
  EXPIRES_IN: withDefault(duration, '15m', 'how long an access token is valid'),
  REFRESH_SECRET: optional(text, RANDOM_KEY, 'signs refresh tokens; generated once and kept in DATA_DIR when unset'),
  REFRESH_SECRET_ACCEPTED: optional(list, RANDOM_KEY, 'the same for REFRESH_SECRET'),
  REFRESH_EXPIRES_IN: withDefault(duration, '30d', 'how long a session is valid that is not refreshed'),
  DATA_KEY: optional(
    key,
    RANDOM_KEY,
    'encrypts the keys of personal data, which cannot be read without it; generated once and kept in DATA_DIR when unset',
  ),
  DATA_KEY_ACCEPTED: optional(
    keys,
    RANDOM_KEY,
    'further keys that may have encrypted the keys of personal data, while DATA_KEY is replaced; see "reelstream keys rotate --help"',
  ),
  SEAL_KEY: optional(
    key,
    RANDOM_KEY,
    'signs the seals of the event log (Ed25519); generated once, by the first seal, and kept in DATA_DIR when unset',
  ),

  ADMIN_EMAILS: optional(
    emailAddresses,
    'ada@example.org,grace@example.org',
    'e-mail addresses whose users are administrators, from their next token on; addresses are not verified, so register an address before you list it; the same in every API process',
  ),
  FIRST_USER_IS_ADMIN: withDefault(
    bool,
    'true',
    'whether the first account that registers in DATA_DIR becomes an administrator; has no effect with DATABASE_URL',
  ),

  DATABASE_URL: optional(
    url('postgres', 'postgresql'),
    'postgres://user:password@host:5432/reelstream',
    'PostgreSQL 14 or newer, instead of the embedded one',
  ),
  DATABASE_CONNECTIONS: withDefault(
    integer(1, 10_000),
    '60',
    'most connections to PostgreSQL of one process, shared out to its pools; max_connections of the server must allow the sum of all processes; the default is all that any role can use, and the least is 7 for api, 20 for projector, 12 for media, 9 for relay, 27 for serve',
  ),
  EVENTSTORE_URL: optional(
    url('esdb', 'esdb+discover', 'kurrentdb', 'kurrentdb+discover'),
    'esdb://user:password@host:2113?tlsCAFile=/path/to/ca.crt',
    'EventStoreDB or KurrentDB for the event log, instead of PostgreSQL; the user must be able to read $all',
  ),
  KAFKA_BROKERS: optional(list, 'host:9092', 'Kafka between the event log and the processes that read it'),
  KAFKA_TOPIC: withDefault(text, 'reelstream.events', 'topic that the relay writes'),
  KAFKA_PARTITIONS: withDefault(integer(1, 1_000), '6', 'partitions of the topic when the relay creates it'),
  REDIS_URL: optional(
    url('redis', 'rediss'),
    'redis://host:6379',
    'Redis, so that several API processes share cache, rate limits and sockets',
  ),

  MINIO_ENDPOINT: optional(text, 'host', 'MinIO or another S3 for videos, instead of DATA_DIR'),
  MINIO_PORT: withDefault(port, '9000', ''),
  MINIO_USE_SSL: withDefault(bool, 'false', ''),
  MINIO_ACCESS_KEY: optional(text, '<access key>', ''),
  MINIO_SECRET_KEY: optional(text, '<secret key>', ''),
  MINIO_BUCKET: withDefault(text, 'reelstream', 'created when it does not exist'),
  MINIO_PUBLIC_URL: optional(
    webAddress,
    'https://media.example.org',
    'where browsers reach the bucket, with the host that MinIO itself sees; MINIO_ENDPOINT and MINIO_PORT when unset',
  ),

  VIEW_RULE: withDefault(
    text,
    'counted',
    'which recorded views analytics count: counted (all), daily-unique (one of each viewer a day), not-the-owner, or several joined by +; the same in every process; a change rebuilds analytics while the old numbers are served',
  ),

  UPLOAD_WAIT_SECONDS: withDefault(
    integer(0, 3_600),
    '30',
    'how long an upload waits for the video to be processed before it answers 202',
  ),
  UPLOAD_PENDING_MAX: withDefault(
    integer(1, 10_000),
    '20',
    'videos of one user that may wait to be processed; further uploads are answered 429',
  ),
  UPLOAD_PENDING_MB: withDefault(integer(50, 1_000_000), '500', 'total size of these videos, in MB'),
  MEDIA_CONCURRENCY: withDefault(integer(1, 64), '1', 'videos that one process transcodes at a time'),
  FFMPEG_PATH: optional(
    text,
    '/usr/bin/ffmpeg',
    'FFmpeg to use; when unset, the one on PATH, or the one from npm if PATH has no usable one',
  ),
  FFPROBE_PATH: optional(
    text,
    '/usr/bin/ffprobe',
    'ffprobe of the same build as FFMPEG_PATH; only needed when it is in another folder',
  ),

  REBUILD_KEEP_HOURS: withDefault(
    integer(0, 8_760),
    '24',
    'how long the tables that a rebuild replaced are kept for a rollback; they take as much room as the new ones; 0 keeps none',
  ),

  RATE_LIMIT_ENABLED: withDefault(bool, 'true', 'false for load tests'),
  RATE_LIMIT_WINDOW_SECONDS: withDefault(integer(1, 86_400), '60', 'window of the limits below that name no time'),
  RATE_LIMIT_MAX: withDefault(integer(1), '600', 'requests of one user, or from one address without a user'),
  RATE_LIMIT_ADDRESS_MAX: withDefault(
    integer(1),
    '6000',
    'requests of all users behind one address; an office or a mobile network shares one',
  ),
  RATE_LIMIT_LOGIN_MAX: withDefault(
    integer(1),
    '30',
    'attempts to log in from one address, on devices that the account does not know',
  ),
  RATE_LIMIT_REFRESH_MAX: withDefault(integer(1), '30', 'refreshes of one session'),
  RATE_LIMIT_UPLOAD_MAX: withDefault(integer(1), '30', 'uploads of one user'),
  RATE_LIMIT_REPORTS_PER_HOUR: withDefault(integer(1), '60', 'reports of videos by one user in an hour'),
  RATE_LIMIT_ACCOUNTS_PER_HOUR: withDefault(integer(1), '30', 'registrations from one address in an hour'),
  RATE_LIMIT_GUESSES: withDefault(integer(1), '10', 'wrong passwords for one account from one address in 15 minutes'),
  RATE_LIMIT_ACCOUNT_GUESSES: withDefault(
    integer(1),
    '100',
    'wrong passwords for one account from all unknown devices in an hour; after that, each address may try once in 15 minutes',
  ),
  RATE_LIMIT_VIEWERS: withDefault(
    integer(1),
    '10',
    'viewers of one video, from one address in a minute, whose views are counted',
  ),

  SOCKETS_PER_ADDRESS: withDefault(integer(1), '1000', 'open sockets from one client address in one process'),
  SOCKET_CATCH_UPS_PER_ADDRESS: withDefault(
    integer(1),
    '200',
    'how many of these sockets may wait for past events at a time',
  ),

  MONITORING_TOKEN: optional(
    text,
    RANDOM_TOKEN,
    'bearer token for /metrics and the details in /health; this machine needs none; when unset, nobody needs it, but in production only this machine may read them',
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: optional(
    url('http', 'https'),
    'http://host:4318',
    'where traces and metrics are sent; nowhere when unset; the other OTEL_ variables of the OpenTelemetry SDK work too',
  ),
  OTEL_METRICS_EXPORTER: withDefault(
    oneOf(['otlp', 'none']),
    'none',
    'otlp: the metrics of /metrics are also sent, over HTTP as protobuf, or as JSON with OTEL_EXPORTER_OTLP_PROTOCOL=http/json',
  ),
  OTEL_METRIC_EXPORT_INTERVAL: withDefault(integer(100), '60000', 'milliseconds between two exports of the metrics'),
  OTEL_TRACES_EXPORTER: withDefault(oneOf(['otlp', 'none']), 'otlp', 'none: no traces are made'),
  OTEL_TRACES_SAMPLER: withDefault(
    oneOf([
      'always_on',
      'always_off',
      'traceidratio',
      'parentbased_always_on',
      'parentbased_always_off',
      'parentbased_traceidratio',
    ]),
    'parentbased_always_on',
    'which requests are traced; parentbased: those that their caller traces, and of the others all, none or a share',
  ),
  OTEL_TRACES_SAMPLER_ARG: optional(share, '0.1', 'the share for traceidratio: 0.1 is every tenth; 1 when unset'),
} as const satisfies Record<string, Variable<z.ZodType>>;

export type VariableName = keyof typeof variables;
/** The value of every variable, as its schema reads it. */
export type Values = { readonly [Name in VariableName]: z.output<(typeof variables)[Name]['schema']> };

/** Variables that only docker-compose.yml reads. */
export const composeVariables = {
  POSTGRES_PASSWORD: { example: RANDOM_TOKEN, meaning: 'password of the database' },
  GRAFANA_PASSWORD: { example: RANDOM_TOKEN, meaning: 'password of the user admin in Grafana' },
  API_PORTS: { example: '3000-3001', meaning: 'ports on this machine, one for each replica of api' },
  SOCKET_PORTS: { example: '3002-3003', meaning: 'the same, for Socket.io clients of the original server' },
  TRACES_ENDPOINT: { example: 'jaeger:4317', meaning: 'where the collector sends traces' },
} as const;

/** The content of `.env.example`. Every variable is commented out, so an unedited copy changes nothing. */
export function envExample(): string {
  return `# Copy to .env and uncomment what you change. Each line shows the default, or an example where there is no default.
${linesOf(variables)}

# Only for docker-compose.yml, in .env.cluster, beside the secrets that deploy/secrets writes there:
${linesOf(composeVariables)}
`;
}

function linesOf(table: Readonly<Record<string, { readonly example: string; readonly meaning: string }>>): string {
  return Object.entries(table)
    .map(([name, { example, meaning }]) => `${meaning === '' ? '' : `\n# ${meaning}\n`}#${name}=${example}`)
    .join('\n');
}
