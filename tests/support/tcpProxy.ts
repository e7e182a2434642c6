import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';

/** A way to a server that can be cut, for tests of what happens then. */
export interface TcpProxy extends AsyncDisposable {
  /** `url` with the proxy in the place of the server. */
  readonly url: string;
  /** Cuts every connection, and every new one, until `restore`. */
  cut(): void;
  /** Passes nothing on in either direction, until `restore`: as a server that is stopped. */
  hang(): void;
  /** The same for the connections that are there; new ones pass: as after a failover, or behind a router that forgot them. */
  silence(): void;
  /** Passes the next request that contains `text` on, and cuts its connection when the server answers. */
  loseAnswerTo(text: string): void;
  restore(): void;
}

export interface TcpProxyOptions {
  /** Changes what the server answers; must keep its length. */
  readonly rewrite?: (answer: Buffer, proxyPort: number) => Buffer;
}

export async function startTcpProxy(url: string, { rewrite }: TcpProxyOptions = {}): Promise<TcpProxy> {
  const target = new URL(url);
  let mode: 'pass' | 'cut' | 'hang' = 'pass';
  let losing: string | undefined;
  const sockets = new Set<Socket>();

  const server = createServer((client) => {
    if (mode === 'cut') return client.destroy();
    // `?host=` is how the address of a PostgreSQL names the folder of its Unix socket.
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
