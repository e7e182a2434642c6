import { startTcpProxy, type TcpProxy } from './tcpProxy.ts';

export const faultyEngines = ['redis', 'kafka', 'minio', 'postgres'] as const;
export type FaultyEngine = (typeof faultyEngines)[number];

/** A way to each engine that can be cut or hung, for one system alone: others use the same servers. */
export interface FaultyWays extends AsyncDisposable {
  readonly ways: Readonly<Record<FaultyEngine, TcpProxy>>;
  /** The engines' variables, with the ways in place of the servers. */
  readonly environment: Readonly<Record<string, string>>;
}

export async function openFaultyWays(engines: Readonly<Record<string, string>>): Promise<FaultyWays> {
  const { DATABASE_URL, REDIS_URL, KAFKA_BROKERS, MINIO_ENDPOINT, MINIO_PORT } = engines as Record<string, string>;
  const broker = new URL(`kafka://${KAFKA_BROKERS!.split(',')[0]}`);
  const [postgres, redis, minio, kafka] = await Promise.all([
    startTcpProxy(DATABASE_URL!),
    startTcpProxy(REDIS_URL!),
    startTcpProxy(`http://${MINIO_ENDPOINT}:${MINIO_PORT}`),
    startTcpProxy(broker.href, { rewrite: (answer, port) => readvertise(answer, broker, port) }),
  ]);
  const ways = { postgres, redis, minio, kafka };
  return {
    ways,
    environment: {
      DATABASE_URL: postgres.url,
      REDIS_URL: redis.url,
      KAFKA_BROKERS: new URL(kafka.url).host,
      MINIO_ENDPOINT: '127.0.0.1',
      MINIO_PORT: new URL(minio.url).port,
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(Object.values(ways).map((way) => way[Symbol.asyncDispose]()));
    },
  };
}

/** A broker tells its clients where to connect to, and they would go past the proxy. (Host as a string with its length in two bytes, port in four.) */
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
