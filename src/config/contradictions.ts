import type { Role } from './config.ts';
import { variables, type Values, type VariableName } from './configVariables.ts';

/** Each sentence begins with the name of the variable to change, and does not quote its value. */
export function contradictions(
  values: Partial<Values>,
  isMissing: (name: VariableName) => boolean,
  role: Role,
): string[] {
  return [
    ...betweenEngines(values, isMissing, role),
    ...(values.NODE_ENV === 'production' ? inProduction(values, isMissing) : []),
  ];
}

function* betweenEngines(
  values: Partial<Values>,
  isMissing: (name: VariableName) => boolean,
  role: Role,
): Generator<string> {
  if (role !== 'serve' && isMissing('DATABASE_URL'))
    yield `DATABASE_URL is needed by "${role}", since only "serve" can use the embedded PostgreSQL (example: DATABASE_URL=${variables.DATABASE_URL.example})`;
  if (role === 'relay' && isMissing('KAFKA_BROKERS'))
    yield `KAFKA_BROKERS is needed by "relay", which writes events to Kafka (example: KAFKA_BROKERS=${variables.KAFKA_BROKERS.example})`;
  if (values.LEGACY_SOCKET && values.PORT !== 0 && values.PORT === values.SOCKET_PORT)
    yield 'SOCKET_PORT must differ from PORT';
  const minioKeys = (['MINIO_ACCESS_KEY', 'MINIO_SECRET_KEY'] as const).filter(isMissing);
  if (!isMissing('MINIO_ENDPOINT') && minioKeys.length > 0)
    yield `${minioKeys.join(' and ')} must be set with MINIO_ENDPOINT`;
  const eventStoreUrl = values.EVENTSTORE_URL ?? '';
  if (/[?&]tls[-_]?verify[-_]?cert=false/i.test(eventStoreUrl) && !/[?&]tls=false/i.test(eventStoreUrl))
    yield 'EVENTSTORE_URL asks for tlsVerifyCert=false, which has no effect: name the authority that signed the server certificate with tlsCAFile=/path/to/ca.crt, or use tls=false in a private network';
}

function* inProduction(values: Partial<Values>, isMissing: (name: VariableName) => boolean): Generator<string> {
  if (values.TRUST_PROXY === true)
    yield 'TRUST_PROXY must name your proxies in production (their addresses, or how many there are), since any client could choose its own address with "true"';
  const secrets = (['JWT_SECRET', 'REFRESH_SECRET', 'DATA_KEY'] as const).filter(isMissing);
  if (!isMissing('DATABASE_URL') && secrets.length > 0)
    yield `${secrets.join(', ')} must be set in production with DATABASE_URL, to the same value in every process ("openssl rand -base64 32" prints a good one)`;
  // The number of guesses at this token is not limited.
  if (values.MONITORING_TOKEN !== undefined && values.MONITORING_TOKEN.length < 16)
    yield 'MONITORING_TOKEN must have at least 16 characters in production ("openssl rand -hex 20" prints a good one)';
  for (const name of ['JWT_SECRET', 'REFRESH_SECRET'] as const) {
    // RFC 7518, section 3.2: the key must be at least as long as the output of the hash.
    if (values[name] !== undefined && values[name].length < 32)
      yield `${name} must have at least 32 characters in production ("openssl rand -base64 32" prints a good one)`;
    if (values[`${name}_ACCEPTED`]?.some((secret) => secret.length < 32))
      yield `${name}_ACCEPTED must only have secrets of at least 32 characters in production`;
  }
}
