import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePorts } from '../freePorts.ts';

/** A proxy between the clients and a server. It can cut, freeze and refuse connections. Its port stays the same. */
export interface Network extends AsyncDisposable {
  readonly port: number;
  readonly connections: number;
  /** Number of connections that clients have opened so far. */
  readonly opened: number;
  /** Cuts every connection and refuses new ones. */
  down(): Promise<void>;
  up(): Promise<void>;
  /** Keeps the present connections open but passes no more data on them. New connections work. */
  freeze(): void;
  /** Resolves when there are no connections. */
  idle(): Promise<void>;
}

export async function createNetwork(target: number): Promise<Network> {
  const sockets = new Set<Socket>();
  // Outside the range of ports that the system assigns: while the server is down, no other process may get this one.
  const [port] = (await freePorts(1)) as [number];
  let opened = 0;
  let server = await listen(port);

  async function listen(on: number): Promise<Server> {
    const listening = createServer((client) => {
      opened++;
      const upstream = connect(target, '127.0.0.1');
      sockets.add(client).add(upstream);
      for (const [socket, peer] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        socket.setNoDelay(true);
        socket.on('error', () => undefined);
        socket.on('close', () => {
          peer.destroy();
          sockets.delete(socket);
        });
        socket.pipe(peer);
      }
    });
    listening.listen(on, '127.0.0.1');
    await once(listening, 'listening');
    return listening;
  }

  async function down(): Promise<void> {
    if (!server.listening) return;
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
  }

  return {
    port,
    get connections() {
      return sockets.size;
    },
    get opened() {
      return opened;
    },
    down,
    up: async () => {
      if (!server.listening) server = await listen(port);
    },
    idle: async () => {
      for (const socket of sockets) await once(socket, 'close');
    },
    freeze: () => {
      for (const socket of sockets) {
        socket.unpipe();
        socket.pause();
      }
    },
    [Symbol.asyncDispose]: down,
  };
}
