import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';

/** A proxy to a server, for tests of outages. */
export interface TcpProxy extends AsyncDisposable {
  /** The URL of the server, with the address of the proxy. */
  readonly url: string;
  /** Cuts all connections and every new one until `restore`. */
  cut(): void;
  /** Passes no data on in either direction until `restore`, like a paused server. */
  hang(): void;
  /**
   * The same for the present connections only, as after a failover or behind a router that forgot them. New ones work.
   */
  silence(): void;
  /** Passes on the next request that contains `text`, and cuts its connection when the server answers. */
  loseAnswerTo(text: string): void;
  restore(): void;
}

export interface TcpProxyOptions {
  /** Changes the server's answers. It must keep their length. */
  readonly rewrite?: (answer: Buffer, proxyPort: number) => Buffer;
}

export async function startTcpProxy(url: string, { rewrite }: TcpProxyOptions = {}): Promise<TcpProxy> {
  const target = new URL(url);
  let mode: 'pass' | 'cut' | 'hang' = 'pass';
  let losing: string | undefined;
  const sockets = new Set<Socket>();

  const server = createServer((client) => {
    if (mode === 'cut') return client.destroy();
    // The URL of a PostgreSQL can name the folder of its Unix socket in `?host=`.
    const folder = target.searchParams.get('host');
    const port = target.port || '5432';
    const upstream = folder === null ? connect(Number(port), target.hostname) : connect(`${folder}/.s.PGSQL.${port}`);
    let lost = false;
    const destroyBoth = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (bytes) => {
        if (lost) return destroyBoth();
        if (from === client && losing !== undefined && bytes.includes(losing)) {
          lost = true;
          losing = undefined;
        }
        to.write(from === upstream && rewrite !== undefined ? rewrite(bytes, portOf(server)) : bytes);
      });
      from.on('error', destroyBoth);
      from.on('close', () => {
        sockets.delete(from);
        destroyBoth();
      });
      if (mode === 'hang') from.pause();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const through = new URL(url);
  through.hostname = '127.0.0.1';
  through.searchParams.delete('host');
  through.port = String(portOf(server));

  return {
    url: through.href,
    cut: () => {
      mode = 'cut';
      for (const socket of sockets) socket.destroy();
    },
    hang: () => {
      mode = 'hang';
      for (const socket of sockets) socket.pause();
    },
    silence: () => {
      for (const socket of sockets) socket.pause();
    },
    loseAnswerTo: (text) => {
      losing = text;
    },
    restore: () => {
      mode = 'pass';
      for (const socket of sockets) socket.resume();
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
