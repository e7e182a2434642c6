import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll } from '@jest/globals';
import { z } from 'zod';
import { DomainError } from '../../src/core/errors.ts';
import { EventStoreUnavailable, RevisionConflict } from '../../src/core/eventStore.ts';
import { route, type Route } from '../../src/http/route.ts';
import { ObjectStoreUnavailable } from '../../src/objectStore/objectStore.ts';
import { startTestApp, type TestApp } from './httpApp.ts';

const common = { tag: 'System', auth: 'none', description: '', responses: { 200: { description: 'ok' } } } as const;
const thrown: Record<string, () => unknown> = {
  bug: () => new TypeError('secret detail of /etc/passwd'),
  conflict: () => new RevisionConflict('video-1', 1, 2),
  store: () => new EventStoreUnavailable('host db-7 is away'),
  objects: () => new ObjectStoreUnavailable('bucket x'),
  database: () => Object.assign(new Error('connect ECONNREFUSED 10.1.2.3'), { code: 'ECONNREFUSED' }),
  missingFile: () => Object.assign(new Error('no such file'), { code: 'ENOENT' }),
  busy: () => new DomainError('unavailable', 'busy', 'Too busy.', { retryAfter: 2.2 }),
  text: () => 'not even an error',
};

/** Routes that show what the HTTP application does for every route. */
export const routes: Route[] = [
  route({
    ...common,
    method: 'post',
    path: '/things/:thing',
    operationId: 'postThing',
    summary: '',
    params: z.object({ thing: z.string().max(20) }),
    query: z.object({ size: z.coerce.number().int().default(1) }),
    body: z.object({ name: z.string().min(3), tags: z.array(z.string()).default([]) }),
    handle: ({ params, query, body, context, minPosition }) =>
      Promise.resolve({
        status: 201,
        message: 'made',
        data: {
          params,
          query,
          body,
          correlationId: context.correlationId,
          traceparent: context.traceparent,
          min: minPosition?.toString(),
        },
        appended: { stream: 'thing-1', position: 12n, types: [] },
        behind: true,
      }),
  }),
  route({
    ...common,
    method: 'get',
    path: '/things/special',
    operationId: 'special',
    summary: '',
    handle: () => Promise.resolve({ status: 200, message: 'special' }),
  }),
  route({
    ...common,
    method: 'get',
    path: '/things/:thing',
    operationId: 'getThing',
    summary: '',
    handle: () => Promise.resolve({ status: 200, message: 'any' }),
  }),
  route({
    ...common,
    method: 'get',
    path: '/bytes',
    operationId: 'bytes',
    summary: '',
    handle: () =>
      Promise.resolve({ status: 200, bytes: Buffer.from('{"ä":1}'), contentType: 'application/json', etag: '"v1"' }),
  }),
  route({
    ...common,
    method: 'get',
    path: '/throw/:what',
    operationId: 'throw',
    summary: '',
    params: z.object({ what: z.string() }),
    handle: ({ params }) => Promise.reject(thrown[params.what]?.() as Error),
  }),
  route({
    ...common,
    method: 'get',
    path: '/half',
    operationId: 'half',
    summary: '',
    handle: ({ response }) => {
      response.writeHead(200, { 'Content-Length': '100' }).write('half');
      return Promise.reject(new Error('then it broke'));
    },
  }),
  route({
    ...common,
    method: 'get',
    path: '/required',
    operationId: 'required',
    summary: '',
    auth: 'required',
    handle: ({ user }) => Promise.resolve({ status: 200, message: 'you', data: user }),
  }),
  route({
    ...common,
    method: 'get',
    path: '/admin',
    operationId: 'admin',
    summary: '',
    auth: 'required',
    role: 'admin',
    handle: ({ user }) => Promise.resolve({ status: 200, message: 'you', data: user }),
  }),
  route({
    ...common,
    method: 'get',
    path: '/optional',
    operationId: 'optional',
    summary: '',
    auth: 'optional',
    handle: ({ user }) => Promise.resolve({ status: 200, message: 'you', data: user ?? null }),
  }),
  route({
    ...common,
    method: 'delete',
    path: '/nothing',
    operationId: 'nothing',
    summary: '',
    handle: () =>
      Promise.resolve({ status: 204, message: '', appended: { stream: 'thing-1', position: 7n, types: [] } }),
  }),
  route({
    ...common,
    method: 'get',
    path: '/wait',
    operationId: 'wait',
    summary: '',
    handle: ({ signal }) =>
      new Promise((resolve) => {
        const answer = (): void => resolve({ status: 200, message: (signal.reason as Error).message });
        if (signal.aborted) answer();
        else signal.addEventListener('abort', answer);
      }),
  }),
];

export interface Body {
  readonly success: boolean;
  readonly statusCode: number;
  readonly message: string;
  readonly code: string;
  readonly errorMessages: { path: string; message: string }[];
  readonly requestId: string;
  readonly data: Record<string, unknown>;
}

export interface Called {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

/** The HTTP application with these routes, for the tests of one file. */
export function useHttpApp(): {
  app(): TestApp;
  call(path: string, init?: RequestInit): Promise<Called>;
  postThing(body: unknown, headers?: Record<string, string>, path?: string): Promise<Called>;
} {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp({ routes });
  });
  afterAll(async () => {
    await app[Symbol.asyncDispose]();
  });

  async function call(path: string, init: RequestInit = {}): Promise<Called> {
    const response = await fetch(app.url + path, init);
    const content = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: (content === '' ? undefined : JSON.parse(content)) as Body,
    };
  }

  return {
    app: () => app,
    call,
    postThing: (body, headers = {}, path = '/things/one') =>
      call(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
  };
}

/** Sends these bytes. Returns what the server answers until it closes the connection. */
export function raw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  return text(socket);
}
