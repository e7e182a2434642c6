import { randomUUID } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { failureBody } from '../http/reply/errorReply.ts';
import { startHttpServer, type HttpServer } from '../http/server/httpServer.ts';
import { portError } from '../http/server/portError.ts';
import type { Process } from './process.ts';

/** A port that the process opens at its start. Requests are answered with 503 until `serve` sets the application. */
export interface ListeningPort extends HttpServer {
  serve(app: RequestListener): void;
}

const answerStarting: RequestListener = (_request, response) => {
  const facts = {
    code: 'starting',
    message: 'The server is starting; try again in a moment.',
    requestId: randomUUID(),
  };
  response
    .writeHead(503, { 'Content-Type': 'application/json; charset=utf-8', 'Retry-After': '1' })
    .end(failureBody(503, facts));
};

/** @throws StartError when the port is taken */
export async function listenOn(
  variable: 'PORT' | 'SOCKET_PORT',
  port: number,
  { config, parts }: Pick<Process, 'config' | 'parts'>,
): Promise<ListeningPort> {
  const { host, shutdownSeconds } = config;
  let answer: RequestListener = answerStarting;
  try {
    const server = await startHttpServer((request, response) => answer(request, response), { port, host });
    parts.defer(() => server.close(shutdownSeconds * 1_000));
    return { ...server, serve: (app) => (answer = app) };
  } catch (error) {
    throw portError(error, { variable, port, host });
  }
}
