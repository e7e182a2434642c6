import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, expect } from '@jest/globals';
import { clip } from '../support/clips.ts';
import { eventually } from '../support/eventually.ts';
import { followFeed } from '../support/feedFollower.ts';
import { collectSpans, type Collected } from '../support/otelCollector.ts';
import type { Span } from '../support/spanReceiver.ts';
import { profile } from '../support/system.ts';
import { call, newPerson, setLike, upload, type Person } from '../support/systemClient.ts';
import { useSystem } from '../support/useSystem.ts';

const [INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER] = [1, 2, 3, 4, 5];

let collected: Collected | undefined;
const { system, systemTest } = useSystem({
  ofEach: 1,
  environment: async () => {
    collected = await collectSpans();
    return { ...collected.environment, LOG_LEVEL: 'debug' };
  },
});
afterAll(async () => {
  await collected?.[Symbol.asyncDispose]();
});

/** What no log and no span may contain. */
const planted = {
  name: 'Plantedname Secretson',
  username: 'planted_username',
  email: 'planted.mail@example.com',
  password: 'plantedPassword1!',
  title: 'Plantedtitle of a clip',
  description: 'Planteddescription of a clip',
  search: 'plantedsearch',
};

interface Caller {
  readonly traceId: string;
  readonly spanId: string;
  readonly headers: { readonly traceparent: string; readonly 'x-request-id': string };
}

/** A client that traces its request. */
function caller(flags: '00' | '01' = '01'): Caller {
  const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
  return { traceId, spanId, headers: { traceparent: `00-${traceId}-${spanId}-${flags}`, 'x-request-id': traceId } };
}

/** Waits until a trace has all these spans. */
async function trace({ traceId }: Caller, names: readonly string[]): Promise<Span[]> {
  const missing = (): string[] =>
    names.filter((name) => !collected!.ofTrace(traceId).some((span) => span.name === name));
  await eventually(missing, { within: 60_000, what: 'the trace is complete', holds: (left) => left.length === 0 });
  return collected!.ofTrace(traceId);
}

/** The spans of a name. @throws when there is none. */
function named(spans: readonly Span[], name: string): readonly [Span, ...Span[]] {
  const [first, ...others] = spans.filter((span) => span.name === name);
  if (first === undefined) throw new Error(`no span ${name} among ${spans.map((span) => span.name).join(', ')}`);
  return [first, ...others];
}

const topic = (spans: readonly Span[], operation: 'send' | 'receive'): Span[] =>
  spans.filter(
    ({ attributes }) =>
      attributes['messaging.system'] === 'kafka' && attributes['messaging.operation.type'] === operation,
  );

const services = (roles: readonly string[]): string[] =>
  profile === 'embedded' ? ['reelstream-serve'] : roles.map((role) => `reelstream-${role}`);

interface Line {
  readonly msg: string;
  readonly requestId?: string;
  readonly [field: string]: unknown;
}

function logged(): string {
  return system()
    .processes.map(({ logFile }) => readFileSync(logFile, 'utf8'))
    .join('\n');
}

/** The lines of the log about a request. */
function linesOf(requestId: string): Line[] {
  return logged()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line)
    .filter((line) => line.requestId === requestId);
}

let owner: Person;
let videoId = '';

systemTest(
  'an upload is one trace: command, append, Kafka, projections, jobs, FFmpeg and the socket',
  async () => {
    owner = await newPerson(system().api(), planted);
    const follower = followFeed(system().api(), { topics: ['feed'] });
    await eventually(() => follower.subscribed() === 1, { what: 'the follower is subscribed' });
    const client = caller();
    const { data, status } = await upload(system().api(), owner.token, await clip('plain'), {
      ...planted,
      headers: client.headers,
    });
    expect([201, 202]).toContain(status);
    videoId = data.id;
    const spans = await trace(client, [
      'process media_process_manager',
      'process job process',
      'process job extras',
      'process videos',
      'emit event',
    ]).finally(() => follower.socket.disconnect());

    const [request] = named(spans, 'POST /api/v1/video/upload');
    expect(request).toMatchObject({
      parentSpanId: client.spanId,
      kind: SERVER,
      attributes: { 'http.request.method': 'POST', 'http.route': '/api/v1/video/upload' },
    });
    const ids = new Map(spans.map((span) => [span.spanId, span]));
    const below = (span: Span | undefined, ancestor: Span): boolean =>
      span !== undefined && (span.spanId === ancestor.spanId || below(ids.get(span.parentSpanId ?? ''), ancestor));

    const appends = named(spans, 'append video');
    expect(appends[0]).toMatchObject({ parentSpanId: request.spanId, kind: CLIENT });
    const [job] = named(spans, 'process job process');
    expect(job).toMatchObject({ kind: CONSUMER, attributes: { 'messaging.destination.name': 'process' } });
    const runs = named(spans, 'ffmpeg');
    expect(runs.some((run) => run.kind === INTERNAL && below(run, job))).toBe(true);
    // What the job appends continues from the job, and so do the next job and what is pushed about it.
    expect(appends.some((append) => below(append, job))).toBe(true);
    const [extras] = named(spans, 'process job extras');
    expect(below(extras, job)).toBe(true);
    expect(runs.some((run) => below(run, extras))).toBe(true);
    expect(named(spans, 'process videos').some((span) => span.kind === CONSUMER && below(span, job))).toBe(true);
    expect(named(spans, 'emit event').some((span) => span.kind === PRODUCER && below(span, job))).toBe(true);
    expect(
      spans.some(
        ({ name, attributes }) => name.startsWith('pg.query:') && attributes['db.system.name'] === 'postgresql',
      ),
    ).toBe(true);
    if (profile === 'cluster') {
      expect(topic(spans, 'send')[0]).toMatchObject({ kind: PRODUCER, service: 'reelstream-relay' });
      expect(new Set(topic(spans, 'receive').map(({ service }) => service))).toEqual(
        new Set(['reelstream-projector', 'reelstream-media']),
      );
      // MinIO.
      expect(spans.some(({ name, service }) => name === 'PUT' && service === 'reelstream-media')).toBe(true);
    }
    expect(new Set(spans.map(({ service }) => service))).toEqual(
      new Set(services(['api', 'relay', 'projector', 'media'])),
    );
    expect(spans.filter(({ status }) => status?.code === 2)).toEqual([]);
    expect(linesOf(client.traceId).filter(({ msg }) => msg === 'request')).toMatchObject([
      {
        level: 'info',
        traceId: client.traceId,
        userId: owner.id,
        method: 'POST',
        route: '/api/v1/video/upload',
        status,
        ms: expect.any(Number),
      },
    ]);
  },
  120_000,
);

systemTest('a like is one trace, from the command to the projections and the socket', async () => {
  const follower = followFeed(system().api(), { topics: [`video:${videoId}`] });
  await eventually(() => follower.subscribed() === 1, { what: 'the follower is subscribed' });
  const unsampled = caller('00');
  const client = caller();
  expect((await setLike(system().api(), videoId, owner.token, { headers: unsampled.headers })).status).toBe(200);
  const { status } = await call(system().api(), 'DELETE', `/api/v1/video/${videoId}/like`, {
    token: owner.token,
    headers: client.headers,
  });
  expect(status).toBe(200);
  const projections = ['process likes', 'process videos', 'process analytics', 'process timeline'];
  const requested = 'DELETE /api/v1/video/:videoId/like';
  const spans = await trace(client, [requested, 'append like', 'append batch', ...projections, 'emit event']).finally(
    () => follower.socket.disconnect(),
  );
  const [request] = named(spans, requested);
  for (const name of projections) expect(named(spans, name)[0].parentSpanId).toBe(request.spanId);
  const [batch] = named(spans, 'append batch');
  expect(spans.find(({ name }) => name.startsWith('pg.query:append'))?.parentSpanId).toBe(batch.spanId);
  expect(spans.map(({ service }) => service)).toEqual(expect.arrayContaining(services(['api', 'relay', 'projector'])));
  if (profile === 'cluster') expect(topic(spans, 'send')).toMatchObject([{ parentSpanId: request.spanId }]);
  // It happened before, so its spans would be there.
  expect(collected!.ofTrace(unsampled.traceId)).toEqual([]);
  expect(linesOf(unsampled.traceId)).toMatchObject([
    { traceId: unsampled.traceId, route: '/api/v1/video/:videoId/like' },
  ]);
});

systemTest('health, metrics, pages and files make no spans', async () => {
  const pages = ['/health', '/metrics', '/openapi.json', '/docs', '/', '/favicon.ico', '/nowhere'];
  const clients = pages.map(() => caller());
  for (const [index, page] of pages.entries())
    await fetch(new URL(page, system().api()), { headers: clients[index]!.headers });
  const last = caller();
  await call(system().api(), 'GET', '/api/v1/video', { headers: last.headers });
  await trace(last, ['GET /api/v1/video']);
  expect(clients.flatMap(({ traceId }) => collected!.ofTrace(traceId))).toEqual([]);
  expect(linesOf(clients[1]!.traceId)).toMatchObject([{ level: 'debug', route: '/metrics', status: 200 }]);
  expect(linesOf(clients[6]!.traceId)).toMatchObject([{ level: 'info', path: '/nowhere', status: 404 }]);
});

systemTest('no log line and no span has personal data', async () => {
  const { username, email, password, title } = planted;
  const json = (method: string, path: string, body: object, token?: string): Promise<unknown> =>
    call(system().api(), method, path, { json: body, ...(token !== undefined && { token }) });
  await json('POST', '/api/v1/auth/register', planted); // Refused: the address is taken.
  await json('POST', '/api/v1/auth/login', { email, password: `${password}x` });
  await json('POST', '/api/v1/auth/login', { email: [email], password: { password } });
  await call(system().api(), 'POST', '/api/v1/auth/login', {
    body: `{"email":"${email}`,
    headers: { 'content-type': 'application/json' },
  });
  await json('PATCH', `/api/v1/video/${videoId}`, { title: `${title} again` }, owner.token);
  await call(system().api(), 'GET', `/api/v1/video?searchTerm=${planted.search}&cursor=${email}`, {
    token: owner.token,
  });
  await call(system().api(), 'POST', '/api/v1/auth/refresh-token', { cookie: owner.cookie });
  for (const path of [`/u/${username}`, `/nowhere/${email}`, `/%20${email}`])
    await fetch(new URL(path, system().api()), { headers: { authorization: `Bearer ${owner.token}` } });
  const last = caller();
  await call(system().api(), 'GET', '/api/v1/auth/me', { token: owner.token, headers: last.headers });
  const spans = await trace(last, ['GET /api/v1/auth/me']);
  expect(spans.length).toBeGreaterThan(0);
  await eventually(() => linesOf(last.traceId).length === 1, { what: 'the last request is logged' });

  // Everything that is traced belongs to a request.
  const roots = collected!.spans.filter(({ parentSpanId = '' }) => parentSpanId === '');
  expect(roots.filter(({ kind }) => kind !== SERVER)).toEqual([]);

  const refreshToken = owner.cookie.split('=')[1]!;
  const secrets = [...Object.values(planted), owner.token, refreshToken, encodeURIComponent(email)];
  const all = { logs: logged(), spans: JSON.stringify(collected!.spans) };
  for (const [where, text] of Object.entries(all)) {
    const found = secrets.filter((secret) => text.toLowerCase().includes(secret.toLowerCase()));
    expect({ where, found }).toEqual({ where, found: [] });
  }
});
