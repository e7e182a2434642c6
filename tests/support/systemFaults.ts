import { startTcpProxy, type TcpProxy } from './tcpProxy.ts';

export const faultyEngines = ['redis', 'kafka', 'minio', 'postgres'] as const;
export type FaultyEngine = (typeof faultyEngines)[number];

/**
 * Connects one system to each engine through a proxy that can cut connections or make them hang. Other systems on the
 * same engines notice nothing.
 */
export interface FaultyConnections extends AsyncDisposable {
  readonly connections: Readonly<Record<FaultyEngine, TcpProxy>>;
  /** The engines' variables, with the addresses of the proxies. */
  readonly environment: Readonly<Record<string, string>>;
}

export async function openFaultyConnections(engines: Readonly<Record<string, string>>): Promise<FaultyConnections> {
  const { DATABASE_URL, REDIS_URL, KAFKA_BROKERS, MINIO_ENDPOINT, MINIO_PORT } = engines as Record<string, string>;
  const broker = new URL(`kafka://${KAFKA_BROKERS!.split(',')[0]}`);
  const [postgres, redis, minio, kafka] = await Promise.all([
    startTcpProxy(DATABASE_URL!),
    startTcpProxy(REDIS_URL!),
    startTcpProxy(`http://${MINIO_ENDPOINT}:${MINIO_PORT}`),
    startTcpProxy(broker.href, { rewrite: (answer, port) => readvertise(answer, broker, port) }),
  ]);
  const connections = { postgres, redis, minio, kafka };
  return {
    connections,
    environment: {
      DATABASE_URL: postgres.url,
      REDIS_URL: redis.url,
      KAFKA_BROKERS: new URL(kafka.url).host,
      MINIO_ENDPOINT: '127.0.0.1',
      MINIO_PORT: new URL(minio.url).port,
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(Object.values(connections).map((connection) => connection[Symbol.asyncDispose]()));
    },
  };
}

/**
 * Replaces the broker's address in its answers. Otherwise clients would connect to that address, past the proxy. An
 * address is the length of the host (two bytes), the host, and the port (four bytes).
 */
function readvertise(answer: Buffer, broker: URL, port: number): Buffer {
  const address = (of: number): Buffer => {
    const bytes = Buffer.alloc(2 + broker.hostname.length + 4);
    bytes.writeUInt16BE(broker.hostname.length, 0);
    bytes.write(broker.hostname, 2);
    bytes.writeUInt32BE(of, 2 + broker.hostname.length);
    return bytes;
  };
  const [advertised, ours] = [address(Number(broker.port)), address(port)];
  const changed = Buffer.from(answer);
  for (let at = changed.indexOf(advertised); at !== -1; at = changed.indexOf(advertised, at + 1))
    ours.copy(changed, at);
  return changed;
}
