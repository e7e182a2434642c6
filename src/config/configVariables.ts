import {
  bool,
  duration,
  integer,
  key,
  list,
  oneOf,
  port,
  secret,
  text,
  trustProxy,
  url,
  type Kind,
} from './configKinds.ts';

export const ROLES = ['serve', 'api', 'projector', 'media', 'relay'] as const;
/** What a process does; `serve` does all of it. */
export type Role = (typeof ROLES)[number];

const PORTS: Readonly<Record<Role, string>> = {
  serve: '3000',
  api: '3000',
  projector: '3010',
  media: '3020',
  relay: '3030',
};

interface Variable<T> {
  readonly kind: Kind<T>;
  readonly meaning: string;
  readonly fallback: string | ((role: Role) => string) | undefined;
  /** What stands in .env.example when there is no default. */
  readonly example?: string;
}
interface Defaulted<T> extends Variable<T> {
  readonly fallback: string | ((role: Role) => string);
}

const withDefault = <T>(kind: Kind<T>, fallback: Defaulted<T>['fallback'], meaning: string): Defaulted<T> => ({
  kind,
  fallback,
  meaning,
});
const optional = <T>(kind: Kind<T>, example: string, meaning: string): Variable<T> => ({
  kind,
  fallback: undefined,
  example,
  meaning,
});

/** Every variable that ReelStream reads, in the order of .env.example. */
export const variables = {
  NODE_ENV: withDefault(
    text,
    'development',
    'production: secure cookies, and no secrets made up for an outside database',
  ),
  PORT: withDefault(
    port,
    (role) => PORTS[role],
    'HTTP and Socket.io; projector 3010, media 3020, relay 3030 when they run by themselves',
  ),
  SOCKET_PORT: withDefault(port, '3002', 'Socket.io for clients of the original server'),
  LEGACY_SOCKET: withDefault(
    bool,
    'true',
    'whether SOCKET_PORT is open: upload progress to every socket, as the original server did, without saying of which video',
  ),
  HOST: optional(text, '127.0.0.1', 'the address to listen on; every address when unset'),
  PUBLIC_URL: optional(
    url('http', 'https'),
    'https://reels.example.org',
    'where clients reach this server: begins the addresses of videos that it serves itself; http://localhost:PORT, or that of HOST, when unset',
  ),
  TRUST_PROXY: withDefault(
    trustProxy,
    'false',
    'whose X-Forwarded-For to believe: the addresses of your proxies, or how many there are; true (anybody) only outside production',
  ),
  CORS_ORIGIN: withDefault(
    list,
    '*',
    'origins whose pages may call the API with cookies; * lets all others call it without them, and outside production also local pages with cookies',
  ),
  LOG_LEVEL: withDefault(
    oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
    'info',
    'how much is logged',
  ),
  SHUTDOWN_SECONDS: withDefault(integer(1, 3_600), '25', 'how long requests and jobs get to finish after SIGTERM'),
  DATA_DIR: withDefault(text, './data', 'the embedded PostgreSQL, videos and made-up secrets'),

  JWT_SECRET: optional(
    secret,
    '<openssl rand -base64 32>',
    'signs access tokens; made once and kept in DATA_DIR when unset',
  ),
  EXPIRES_IN: withDefault(duration, '15m', 'life of an access token'),
  REFRESH_SECRET: optional(
    secret,
    '<openssl rand -base64 32>',
    'signs refresh tokens; made once and kept in DATA_DIR when unset',
  ),
  REFRESH_EXPIRES_IN: withDefault(duration, '30d', 'life of a session that is not refreshed'),
  DATA_KEY: optional(
    key,
    '<openssl rand -base64 32>',
    'wraps the keys that personal data is sealed with: lost with it; made once and kept in DATA_DIR when unset',
  ),
  ADMIN_EMAILS: withDefault(
    list,
    '',
    'accounts with the role admin; without effect until there are operations for operators',
  ),

  DATABASE_URL: optional(
    url('postgres', 'postgresql'),
    'postgres://user:password@host:5432/reelstream',
    'a PostgreSQL 14 or newer instead of the embedded one',
  ),
  EVENTSTORE_URL: optional(
    url('esdb', 'esdb+discover', 'kurrentdb', 'kurrentdb+discover'),
    'esdb://user:password@host:2113?tlsCAFile=/path/to/ca.crt',
    'EventStoreDB or KurrentDB instead of PostgreSQL for the event log; the user must be able to read $all',
  ),
  KAFKA_BROKERS: optional(list, 'host:9092', 'Kafka between the event log and its readers'),
  KAFKA_TOPIC: withDefault(text, 'reelstream.events', 'the topic that the relay writes'),
  KAFKA_PARTITIONS: withDefault(integer(1, 1_000), '6', 'its partitions, when the relay makes it'),
  REDIS_URL: optional(
    url('redis', 'rediss'),
    'redis://host:6379',
    'cache, rate limits and sockets shared by several API processes',
  ),

  MINIO_ENDPOINT: optional(text, 'host', 'MinIO or another S3 for videos, instead of DATA_DIR'),
  MINIO_PORT: withDefault(port, '9000', ''),
  MINIO_USE_SSL: withDefault(bool, 'false', ''),
  MINIO_ACCESS_KEY: optional(secret, '<access key>', ''),
  MINIO_SECRET_KEY: optional(secret, '<secret key>', ''),
  MINIO_BUCKET: withDefault(text, 'reelstream', 'made when it is not there'),
  MINIO_PUBLIC_URL: optional(
    url('http', 'https'),
    'https://media.example.org',
    'where browsers find the bucket; MINIO_ENDPOINT and MINIO_PORT when unset',
  ),

  UPLOAD_WAIT_SECONDS: withDefault(
    integer(0, 3_600),
    '30',
    'how long an upload waits for its processing before it answers 202',
  ),
  UPLOAD_PENDING_MAX: withDefault(
    integer(1, 10_000),
    '20',
    'videos of one user that may wait to be processed; more are answered 429',
  ),
  UPLOAD_PENDING_MB: withDefault(integer(50, 1_000_000), '500', 'what these may add up to, in MB'),
  MEDIA_CONCURRENCY: withDefault(integer(1, 64), '1', 'videos that one process transcodes at a time'),
  FFMPEG_PATH: optional(
    text,
    '/usr/bin/ffmpeg',
    'instead of the one on PATH, or the one from npm if PATH has none that is usable; its ffprobe is in the same folder, unless named',
  ),
  FFPROBE_PATH: optional(
    text,
    '/usr/bin/ffprobe',
    'of the same build as FFMPEG_PATH; needed only if it is in another folder',
  ),

  RATE_LIMIT_ENABLED: withDefault(bool, 'true', 'false for load tests'),
  RATE_LIMIT_WINDOW_SECONDS: withDefault(integer(1, 86_400), '60', 'the window that the limits below count in'),
  RATE_LIMIT_MAX: withDefault(integer(1), '600', 'requests of one user, or of one address without a user'),
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
  RATE_LIMIT_ACCOUNTS_PER_HOUR: withDefault(integer(1), '30', 'registrations from one address in an hour'),
  RATE_LIMIT_GUESSES: withDefault(integer(1), '10', 'wrong passwords for one account from one address in 15 minutes'),
  RATE_LIMIT_ACCOUNT_GUESSES: withDefault(
    integer(1),
    '100',
    'wrong passwords for one account from all unknown devices in an hour; beyond it, an address gets one try in 15 minutes',
  ),
  RATE_LIMIT_VIEWERS: withDefault(
    integer(1),
    '10',
    'viewers of one video whose views are counted, from one address in a minute',
  ),

  SOCKETS_PER_ADDRESS: withDefault(
    integer(1),
    '1000',
    'sockets that one process accepts from one client address at a time',
  ),
  SOCKET_CATCH_UPS_PER_ADDRESS: withDefault(integer(1), '200', 'of these, how many may wait for past events at a time'),

  MONITORING_TOKEN: optional(
    secret,
    '<openssl rand -hex 20>',
    'whoever sends it as a bearer token may read /metrics and the parts in /health, as this machine always may; when unset everybody may, in production only this machine',
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: optional(
    url('http', 'https'),
    'http://host:4318',
    'where traces go; nowhere when unset',
  ),
} as const;

export type VariableName = keyof typeof variables;
/** The parsed value of every variable. */
export type Values = {
  readonly [Name in VariableName]: (typeof variables)[Name] extends Defaulted<infer T>
    ? T
    : (typeof variables)[Name] extends Variable<infer T>
      ? T | undefined
      : never;
};

/** The text that stands in for an unset variable. */
export function fallbackOf(name: VariableName, role: Role): string | undefined {
  const { fallback } = variables[name] as Variable<unknown>;
  return typeof fallback === 'function' ? fallback(role) : fallback;
}

/** What docker-compose.yml alone asks for, with an example each. */
export const composeVariables = {
  POSTGRES_PASSWORD: ['<openssl rand -hex 20>', 'of the database'],
  GRAFANA_PASSWORD: ['<openssl rand -hex 20>', 'of the user admin in Grafana'],
  API_PORTS: ['3000-3001', 'on this machine, one for each replica of api'],
  SOCKET_PORTS: ['3002-3003', 'the same for sockets of the original server'],
  TRACES_ENDPOINT: ['jaeger:4317', 'where the collector sends traces'],
} as const satisfies Record<string, readonly [example: string, meaning: string]>;

/** What `.env.example` has to say, whole. Everything is commented out: an unedited copy changes nothing. */
export function envExample(): string {
  const lines = (Object.keys(variables) as VariableName[]).flatMap((name) => {
    const { meaning, example } = variables[name] as Variable<unknown>;
    return [...(meaning === '' ? [] : [`\n# ${meaning}`]), `#${name}=${fallbackOf(name, 'serve') ?? example}`];
  });
  const compose = Object.entries(composeVariables).flatMap(([name, [example, meaning]]) => [
    `\n# ${meaning}`,
    `#${name}=${example}`,
  ]);
  return `# Copy to .env and uncomment what you change. What stands here is the default, or an example where there is none.
${lines.join('\n')}

# For docker-compose.yml alone, in .env.cluster, with the secrets that deploy/secrets puts there:
${compose.join('\n')}
`;
}
