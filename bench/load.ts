import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Load, Server } from './servers.ts';

export interface LoadRequest {
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface LoadOptions {
  readonly connections: number;
  /** How long requests are sent. */
  readonly seconds: number;
  /** The next request of a connection, which are numbered from 0. Each sends one at a time. */
  next(connection: number): LoadRequest;
  /** Called for each answer, which is always 200. */
  onAnswer?(connection: number, request: LoadRequest): void;
}

/**
 * Sends requests for some seconds, and waits for the answers to all of them. @throws when a request fails, or is answered with
 * another status than 200.
 *
 * It writes HTTP by itself: a client from a library takes as much CPU time as the servers, on a machine that they share.
 */
export async function load({ url }: Server, { connections, seconds, next, onAnswer }: LoadOptions): Promise<Load> {
  const clients = await Promise.all(Array.from({ length: connections }, () => openConnection(url)));
  try {
    let operations = 0;
    const begun = performance.now();
    const until = begun + seconds * 1_000;
    const keepSending = async (client: Connection, connection: number): Promise<void> => {
      while (performance.now() < until) {
        const request = next(connection);
        const { status, body } = await client.send(request);
        if (status !== 200) throw new Error(`${request.method ?? 'GET'} ${request.path} answered ${status}: ${body()}`);
        operations++;
        onAnswer?.(connection, request);
      }
    };
    await Promise.all(clients.map(keepSending));
    return { operations, seconds: (performance.now() - begun) / 1_000 };
  } finally {
    for (const client of clients) client.close();
  }
}

interface Answer {
  readonly status: number;
  body(): string;
}

interface Connection {
  send(request: LoadRequest): Promise<Answer>;
  close(): void;
}

async function openConnection(url: string): Promise<Connection> {
  const { hostname, port, host } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.setNoDelay(true);
  const answers = readAnswers(socket);
  return {
    send({ method = 'GET', path, headers = {} }) {
      let text = `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n`;
      for (const [name, value] of Object.entries(headers)) text += `${name}: ${value}\r\n`;
      if (method === 'POST') text += 'Content-Length: 0\r\n';
      const answer = answers.next();
      socket.write(`${text}\r\n`, 'latin1');
      return answer;
    },
    close: () => socket.destroy(),
  };
}

/** Reads answers that have a Content-Length. */
function readAnswers(socket: Socket): { next(): Promise<Answer> } {
  let waiting: { resolve(answer: Answer): void; reject(error: Error): void } | undefined;
  let received: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const headEnd = received.indexOf('\r\n\r\n');
    if (headEnd === -1) return;
    const head = received.toString('latin1', 0, headEnd);
    const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
    if (length === undefined) return void socket.destroy(new Error(`an answer without Content-Length:\n${head}`));
    const end = headEnd + 4 + Number(length);
    if (received.length < end) return;
    const body = received.subarray(headEnd + 4, end);
    received = received.subarray(end);
    waiting?.resolve({ status: Number(head.slice(9, 12)), body: () => body.toString() });
  });
  socket.on('error', (error) => waiting?.reject(error));
  socket.on('close', () => waiting?.reject(new Error('the server closed a connection before it answered')));
  return {
    next() {
      const { promise, resolve, reject } = Promise.withResolvers<Answer>();
      waiting = { resolve, reject };
      return promise;
    },
  };
}
