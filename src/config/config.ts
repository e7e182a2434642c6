import { join, resolve } from 'node:path';
import { contradictions } from './contradictions.ts';
import { variables, type Values, type VariableName } from './configVariables.ts';
import type { RateLimit, RateLimitGroup } from '../rateLimits/rateLimits.ts';
import { completeSecrets } from './secrets.ts';
import { StartError } from '../core/startError.ts';

/** What a process does; `serve` does all of it. */
export type Role = 'serve' | 'api' | 'projector' | 'media' | 'relay';

/** All are on one machine in development, so each has a port of its own. */
const DEFAULT_PORTS: Readonly<Record<Role, string>> = {
  serve: '3000',
  api: '3000',
  projector: '3010',
  media: '3020',
  relay: '3030',
};

export type Environment = Readonly<Record<string, string | undefined>>;
export type Config = Readonly<ReturnType<typeof arrange>>;
export type KafkaConfig = NonNullable<Config['kafka']>;

/**
 * The settings of a process in this role. Where it is allowed, missing secrets are generated and kept in the data folder.
 * @throws StartError that lists every variable that is missing or wrong.
 */
export function loadConfig(env: Environment, role: Role = 'serve'): Config {
  const { values, problems } = parse({ ...env, PORT: env['PORT']?.trim() || DEFAULT_PORTS[role] });
  const isMissing = (name: VariableName): boolean => values[name] === undefined && !problems.has(name);
  const sentences = [...problems.values(), ...contradictions(values, isMissing, role)];
  if (sentences.length === 1) throw new StartError(`${sentences[0]}.`);
  if (sentences.length > 1)
    throw new StartError(`These settings cannot work:\n${sentences.map((sentence) => `- ${sentence}`).join('\n')}`);
  return arrange(values as Values, role);
}

/** The data folder that the variables name, without anything that is kept in it. */
export function dataDirOf(env: Environment): string {
  return resolve(env['DATA_DIR']?.trim() || variables.DATA_DIR.example);
}

/** The values that are right, and a sentence about each variable that is wrong. */
function parse(env: Environment): { values: Partial<Values>; problems: Map<VariableName, string> } {
  const values: Partial<Record<VariableName, unknown>> = {};
  const problems = new Map<VariableName, string>();
  for (const name of Object.keys(variables) as VariableName[]) {
    const { schema, example } = variables[name];
    // A line "NAME=" in .env means that NAME is not set.
    const result = schema.safeParse(env[name]?.trim() || undefined);
    if (result.success) values[name] = result.data;
    else problems.set(name, `${name} ${result.error.issues[0]?.message} (example: ${name}=${example})`);
  }
  return { values: values as Partial<Values>, problems };
}

/** An undefined engine means that its embedded substitute is used. */
function arrange(values: Values, role: Role) {
  const dataDir = resolve(values.DATA_DIR);
  return {
    role,
    production: values.NODE_ENV === 'production',
    /** Undefined: every address. */
    host: values.HOST,
    port: values.PORT,
    /** Undefined: no socket for clients of the original server. */
    socketPort: values.LEGACY_SOCKET ? values.SOCKET_PORT : undefined,
    /** Without a slash at the end. Undefined: `ownUrl` tells the address that works on this machine. */
    publicUrl: values.PUBLIC_URL,
    trustProxy: values.TRUST_PROXY,
    /** `*` stands for every other origin, without cookies. */
    corsOrigins: values.CORS_ORIGIN,
    logLevel: values.LOG_LEVEL,
    /** Undefined: depends on where the logger writes to. */
    logFormat: values.LOG_FORMAT,
    shutdownSeconds: values.SHUTDOWN_SECONDS,
    /** Absolute. */
    dataDir,
    secrets: completeSecrets(
      {
        JWT_SECRET: values.JWT_SECRET,
        REFRESH_SECRET: values.REFRESH_SECRET,
        DATA_KEY: values.DATA_KEY,
        accepted: {
          JWT_SECRET: values.JWT_SECRET_ACCEPTED,
          REFRESH_SECRET: values.REFRESH_SECRET_ACCEPTED,
          DATA_KEY: values.DATA_KEY_ACCEPTED,
        },
      },
      { dataDir, cluster: values.DATABASE_URL === undefined ? join(dataDir, 'postgres') : undefined },
    ),
    /** 32 bytes. Undefined: in `dataDir`, once there is one. */
    sealKey: values.SEAL_KEY,
    accessTokenSeconds: values.EXPIRES_IN,
    refreshTokenSeconds: values.REFRESH_EXPIRES_IN,
    adminEmails: values.ADMIN_EMAILS ?? [],
    /** Only where one person starts the system on their own machine. Elsewhere a stranger may be the first. */
    firstUserIsAdmin: values.FIRST_USER_IS_ADMIN && values.DATABASE_URL === undefined,
    /** Undefined: the embedded PostgreSQL, in `dataDir`. */
    databaseUrl: values.DATABASE_URL,
    /** At most so many for this process. */
    databaseConnections: values.DATABASE_CONNECTIONS,
    /** Undefined: the event log is in PostgreSQL. */
    eventStoreUrl: values.EVENTSTORE_URL,
    /** Undefined: events go straight from the event log to the processes that read it. */
    kafka: values.KAFKA_BROKERS && {
      brokers: values.KAFKA_BROKERS,
      topic: values.KAFKA_TOPIC,
      /** Of the topic, when the relay creates it. */
      partitions: values.KAFKA_PARTITIONS,
    },
    /** Undefined: nothing is shared with other processes. */
    redisUrl: values.REDIS_URL,
    /** Undefined: objects are files in `dataDir`. */
    minio: arrangeMinio(values),
    /** The name of a view rule, as it was written: the features know which there are. */
    viewRule: values.VIEW_RULE,
    uploadWaitSeconds: values.UPLOAD_WAIT_SECONDS,
    /** How many videos of one user may wait to be processed, and their total size. */
    uploadQuota: { maxVideos: values.UPLOAD_PENDING_MAX, maxBytes: values.UPLOAD_PENDING_MB * 1024 * 1024 },
    mediaConcurrency: values.MEDIA_CONCURRENCY,
    rebuildKeepHours: values.REBUILD_KEEP_HOURS,
    ffmpegPath: values.FFMPEG_PATH,
    ffprobePath: values.FFPROBE_PATH,
    rateLimits: { enabled: values.RATE_LIMIT_ENABLED, limits: arrangeLimits(values) },
    /** Of one client address in one process: open sockets, and how many of them may read past events. */
    sockets: { perAddress: values.SOCKETS_PER_ADDRESS, catchUpsPerAddress: values.SOCKET_CATCH_UPS_PER_ADDRESS },
    /** Undefined: in production, only this machine reads metrics. */
    monitoringToken: values.MONITORING_TOKEN,
    /** How the metrics are sent; undefined: they are only shown at /metrics. */
    metricsExport:
      values.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined && values.OTEL_METRICS_EXPORTER === 'otlp'
        ? { everyMs: values.OTEL_METRIC_EXPORT_INTERVAL }
        : undefined,
    /** Whether traces are sent. The SDK reads the endpoint, the sampling and its other variables by itself. */
    traces: values.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined && values.OTEL_TRACES_EXPORTER === 'otlp',
  };
}

function arrangeMinio(values: Values) {
  const { MINIO_ENDPOINT: endpoint, MINIO_ACCESS_KEY: accessKey, MINIO_SECRET_KEY: secretKey } = values;
  if (endpoint === undefined || accessKey === undefined || secretKey === undefined) return undefined;
  return {
    endpoint,
    port: values.MINIO_PORT,
    useSsl: values.MINIO_USE_SSL,
    accessKey,
    secretKey,
    bucket: values.MINIO_BUCKET,
    /** Without a slash at the end. Undefined: the endpoint itself. */
    publicUrl: values.MINIO_PUBLIC_URL,
  };
}

function arrangeLimits(values: Values): Readonly<Record<RateLimitGroup, RateLimit>> {
  const seconds = values.RATE_LIMIT_WINDOW_SECONDS;
  return {
    general: { points: values.RATE_LIMIT_MAX, seconds },
    address: { points: values.RATE_LIMIT_ADDRESS_MAX, seconds },
    login: { points: values.RATE_LIMIT_LOGIN_MAX, seconds },
    refresh: { points: values.RATE_LIMIT_REFRESH_MAX, seconds },
    upload: { points: values.RATE_LIMIT_UPLOAD_MAX, seconds },
    report: { points: values.RATE_LIMIT_REPORTS_PER_HOUR, seconds: 3_600 },
    registration: { points: values.RATE_LIMIT_ACCOUNTS_PER_HOUR, seconds: 3_600 },
    guess: { points: values.RATE_LIMIT_GUESSES, seconds: 15 * 60 },
    accountGuess: { points: values.RATE_LIMIT_ACCOUNT_GUESSES, seconds: 3_600 },
    viewers: { points: values.RATE_LIMIT_VIEWERS, seconds: 60 },
  };
}
