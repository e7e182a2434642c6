import { join, resolve } from 'node:path';
import type { LevelWithSilent } from 'pino';
import { fallbackOf, variables, type Role, type Values, type VariableName } from './configVariables.ts';
import type { Kind } from './configKinds.ts';
import type { RateLimit, RateLimitGroup } from '../rateLimits/rateLimits.ts';
import { completeSecrets, type Secrets } from './secrets.ts';
import { StartError } from '../core/startError.ts';

export { ROLES, type Role } from './configVariables.ts';

export interface Config {
  readonly role: Role;
  readonly production: boolean;
  /** Every address when undefined. */
  readonly host: string | undefined;
  readonly port: number;
  /** Undefined: no legacy socket. */
  readonly socketPort: number | undefined;
  /** Without a slash at the end. Undefined: as this machine finds it (`ownUrl`). */
  readonly publicUrl: string | undefined;
  readonly trustProxy: boolean | number | string;
  /** `*` among them: any other, without cookies. */
  readonly corsOrigins: readonly string[];
  readonly logLevel: LevelWithSilent;
  readonly shutdownSeconds: number;
  /** Absolute. */
  readonly dataDir: string;
  readonly secrets: Secrets;
  readonly accessTokenSeconds: number;
  readonly refreshTokenSeconds: number;
  /** Lower case. */
  readonly adminEmails: readonly string[];
  /** Undefined: the embedded PostgreSQL, in `dataDir`. */
  readonly databaseUrl: string | undefined;
  /** Undefined: the event log lies in PostgreSQL. */
  readonly eventStoreUrl: string | undefined;
  /** Undefined: events go straight from the log to their readers. */
  readonly kafka: KafkaConfig | undefined;
  /** Undefined: what is shared is shared within this process. */
  readonly redisUrl: string | undefined;
  /** Undefined: objects lie in `dataDir`. */
  readonly minio: MinioConfig | undefined;
  readonly uploadWaitSeconds: number;
  /** Videos of one user, and their bytes, that may wait to be processed. */
  readonly uploadQuota: { readonly maxVideos: number; readonly maxBytes: number };
  readonly mediaConcurrency: number;
  readonly ffmpegPath: string | undefined;
  readonly ffprobePath: string | undefined;
  readonly rateLimits: RateLimitConfig;
  readonly sockets: SocketConfig;
  /** Undefined: in production only this machine reads metrics. */
  readonly monitoringToken: string | undefined;
  /** Undefined: no traces leave the process. */
  readonly otlpEndpoint: string | undefined;
}

export interface KafkaConfig {
  readonly brokers: readonly string[];
  readonly topic: string;
  /** Of the topic, when it has to be made. */
  readonly partitions: number;
}

export interface MinioConfig {
  readonly endpoint: string;
  readonly port: number;
  readonly useSsl: boolean;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly bucket: string;
  /** Without a slash at the end. Undefined: the endpoint itself. */
  readonly publicUrl: string | undefined;
}

export interface RateLimitConfig {
  readonly enabled: boolean;
  readonly limits: Readonly<Record<RateLimitGroup, RateLimit>>;
}

export interface SocketConfig {
  /** Sockets of one client address in one process, and of these those that catch up with past events. */
  readonly perAddress: number;
  readonly catchUpsPerAddress: number;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The settings of a process in this role. Makes the secrets that are missing where that is allowed, and keeps them in
 * the data folder.
 * @throws StartError that names every variable that is wrong.
 */
export function loadConfig(env: Environment, role: Role = 'serve'): Config {
  const { values, problems } = parse(env, role);
  // One sentence a variable: what is wrong by itself cannot be judged beside others.
  problems.push(
    ...contradictions(values, role).filter(
      (found) => !problems.some((problem) => firstWord(problem) === firstWord(found)),
    ),
  );
  if (problems.length === 1) throw new StartError(`${problems[0]}.`);
  if (problems.length > 1)
    throw new StartError(`These settings cannot work:\n${problems.map((problem) => `- ${problem}`).join('\n')}`);
  return arrange(values, role);
}

function parse(env: Environment, role: Role): { values: Values; problems: string[] } {
  const values: Partial<Record<VariableName, unknown>> = {};
  const problems: string[] = [];
  for (const name of Object.keys(variables) as VariableName[]) {
    const { expects, parse: read, secret } = variables[name].kind as Kind<unknown>;
    // A line "NAME=" in .env means: as if it were not there.
    const text = env[name]?.trim() || fallbackOf(name, role);
    if (text === undefined) continue;
    values[name] = read(text);
    if (values[name] === undefined) problems.push(`${name} must be ${expects}${secret ? '' : `, not "${text}"`}`);
  }
  return { values: values as Values, problems };
}

function firstWord(problem: string): string {
  return problem.split(' ', 1)[0] ?? '';
}

/** What is wrong with settings that are right one by one. */
function contradictions(values: Values, role: Role): string[] {
  const problems: string[] = [];
  const outside = values.DATABASE_URL !== undefined;
  if (role !== 'serve' && !outside)
    problems.push(`DATABASE_URL is needed by "${role}": the embedded PostgreSQL belongs to "serve"`);
  if (role === 'relay' && values.KAFKA_BROKERS === undefined)
    problems.push('KAFKA_BROKERS is needed by "relay": it is what it relays to');
  if (values.LEGACY_SOCKET && values.PORT !== 0 && values.PORT === values.SOCKET_PORT)
    problems.push('SOCKET_PORT must differ from PORT');
  const minioKeys = (['MINIO_ACCESS_KEY', 'MINIO_SECRET_KEY'] as const).filter((name) => values[name] === undefined);
  if (values.MINIO_ENDPOINT !== undefined && minioKeys.length > 0)
    problems.push(`${minioKeys.join(' and ')} must be set with MINIO_ENDPOINT`);
  if (
    /[?&]tls[-_]?verify[-_]?cert=false/i.test(values.EVENTSTORE_URL ?? '') &&
    !/[?&]tls=false/i.test(values.EVENTSTORE_URL ?? '')
  ) {
    problems.push(
      'EVENTSTORE_URL asks for tlsVerifyCert=false, which has no effect: name the authority that signed the server certificate with tlsCAFile=/path/to/ca.crt, or use tls=false in a private network',
    );
  }
  if (values.NODE_ENV !== 'production') return problems;
  if (values.TRUST_PROXY === true) {
    problems.push(
      'TRUST_PROXY must name your proxies in production (their addresses, or how many there are), not "true": any client could choose its own address',
    );
  }
  const secrets = (['JWT_SECRET', 'REFRESH_SECRET', 'DATA_KEY'] as const).filter((name) => values[name] === undefined);
  if (outside && secrets.length > 0) {
    problems.push(
      `${secrets.join(', ')} must be set in production with an outside database, to the same in every process (openssl rand -base64 32 makes one)`,
    );
  }
  // It may be guessed at without any limit.
  if (values.MONITORING_TOKEN !== undefined && values.MONITORING_TOKEN.length < 16)
    problems.push('MONITORING_TOKEN must have at least 16 characters in production');
  for (const name of ['JWT_SECRET', 'REFRESH_SECRET'] as const) {
    // RFC 7518, section 3.2: a key at least as long as the hash.
    if (values[name] !== undefined && values[name].length < 32)
      problems.push(`${name} must have at least 32 characters in production`);
  }
  return problems;
}

function arrange(values: Values, role: Role): Config {
  const dataDir = resolve(values.DATA_DIR);
  return {
    role,
    production: values.NODE_ENV === 'production',
    host: values.HOST,
    port: values.PORT,
    socketPort: values.LEGACY_SOCKET ? values.SOCKET_PORT : undefined,
    publicUrl: withoutSlash(values.PUBLIC_URL),
    trustProxy: values.TRUST_PROXY,
    corsOrigins: values.CORS_ORIGIN,
    logLevel: values.LOG_LEVEL,
    shutdownSeconds: values.SHUTDOWN_SECONDS,
    dataDir,
    secrets: completeSecrets(
      { jwt: values.JWT_SECRET, refresh: values.REFRESH_SECRET, dataKey: values.DATA_KEY },
      { dataDir, cluster: values.DATABASE_URL === undefined ? join(dataDir, 'postgres') : undefined },
    ),
    accessTokenSeconds: values.EXPIRES_IN,
    refreshTokenSeconds: values.REFRESH_EXPIRES_IN,
    adminEmails: values.ADMIN_EMAILS.map((email) => email.toLowerCase()),
    databaseUrl: values.DATABASE_URL,
    eventStoreUrl: values.EVENTSTORE_URL,
    kafka: values.KAFKA_BROKERS && {
      brokers: values.KAFKA_BROKERS,
      topic: values.KAFKA_TOPIC,
      partitions: values.KAFKA_PARTITIONS,
    },
    redisUrl: values.REDIS_URL,
    minio: arrangeMinio(values),
    uploadWaitSeconds: values.UPLOAD_WAIT_SECONDS,
    uploadQuota: { maxVideos: values.UPLOAD_PENDING_MAX, maxBytes: values.UPLOAD_PENDING_MB * 1024 * 1024 },
    mediaConcurrency: values.MEDIA_CONCURRENCY,
    ffmpegPath: values.FFMPEG_PATH,
    ffprobePath: values.FFPROBE_PATH,
    rateLimits: { enabled: values.RATE_LIMIT_ENABLED, limits: arrangeLimits(values) },
    sockets: { perAddress: values.SOCKETS_PER_ADDRESS, catchUpsPerAddress: values.SOCKET_CATCH_UPS_PER_ADDRESS },
    monitoringToken: values.MONITORING_TOKEN,
    otlpEndpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT,
  };
}

function arrangeMinio(values: Values): MinioConfig | undefined {
  const { MINIO_ENDPOINT: endpoint, MINIO_ACCESS_KEY: accessKey, MINIO_SECRET_KEY: secretKey } = values;
  if (endpoint === undefined || accessKey === undefined || secretKey === undefined) return undefined;
  return {
    endpoint,
    port: values.MINIO_PORT,
    useSsl: values.MINIO_USE_SSL,
    accessKey,
    secretKey,
    bucket: values.MINIO_BUCKET,
    publicUrl: withoutSlash(values.MINIO_PUBLIC_URL),
  };
}

function arrangeLimits(values: Values): RateLimitConfig['limits'] {
  const seconds = values.RATE_LIMIT_WINDOW_SECONDS;
  return {
    general: { points: values.RATE_LIMIT_MAX, seconds },
    address: { points: values.RATE_LIMIT_ADDRESS_MAX, seconds },
    login: { points: values.RATE_LIMIT_LOGIN_MAX, seconds },
    refresh: { points: values.RATE_LIMIT_REFRESH_MAX, seconds },
    upload: { points: values.RATE_LIMIT_UPLOAD_MAX, seconds },
    registration: { points: values.RATE_LIMIT_ACCOUNTS_PER_HOUR, seconds: 3_600 },
    guess: { points: values.RATE_LIMIT_GUESSES, seconds: 15 * 60 },
    accountGuess: { points: values.RATE_LIMIT_ACCOUNT_GUESSES, seconds: 3_600 },
    viewers: { points: values.RATE_LIMIT_VIEWERS, seconds: 60 },
  };
}

function withoutSlash(url: string | undefined): string | undefined {
  return url?.replace(/\/+$/, '');
}
