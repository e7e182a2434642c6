import { request as httpRequest } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { eventually } from '../../tests/support/eventually.ts';
import { startTestApp } from '../../tests/support/httpApp.ts';
import { type Body, raw, routes, useHttpApp } from '../../tests/support/httpAppRoutes.ts';

const { app, call, postThing } = useHttpApp();

describe('a valid request', () => {
  test('reaches its route checked and converted, and is answered in the envelope', async () => {
    const { status, headers, body } = await postThing({ name: 'abc', unknown: 1 }, {}, '/things/one?size=5');
    expect(status).toBe(201);
    expect(body).toMatchObject({ success: true, statusCode: 201, message: 'made' });
    expect(body.data).toMatchObject({ params: { thing: 'one' }, query: { size: 5 }, body: { name: 'abc', tags: [] } });
    expect(headers.get('x-event-position')).toBe('12');
    expect(headers.get('x-projection-behind')).toBe('true');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('cache-control')).toBe('no-store');
  });

  test('keeps the name and the trace that its client gave it', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const { headers, body } = await postThing(
      { name: 'abc' },
      { 'x-request-id': 'mine-1', traceparent, 'x-min-position': '99' },
    );
    expect(headers.get('x-request-id')).toBe('mine-1');
    expect(body.data).toMatchObject({ correlationId: 'mine-1', traceparent, min: '99' });
  });

  test.each([['with spaces in it'], ['x'.repeat(129)]])('is given a name of ours instead of %p', async (given) => {
    const { headers } = await call('/bytes', { headers: { 'x-request-id': given } });
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('is answered in HTTP/1.1 when it offers another protocol', async () => {
    const answer = await raw(
      app().port,
      'GET /bytes HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\n/);
  });

  test('takes a literal path before a parameter', async () => {
    expect((await call('/things/special')).body.message).toBe('special');
    expect((await call('/things/other')).body.message).toBe('any');
  });

  test('is answered without a body where there is none', async () => {
    const response = await fetch(`${app().url}/nothing`, { method: 'DELETE' });
    expect([
      response.status,
      response.headers.get('x-event-position'),
      response.headers.get('content-type'),
      await response.text(),
    ]).toEqual([204, '7', null, '']);
  });
});

describe('bytes with a tag', () => {
  test.each(['"v1"', 'W/"v1"', '"v0", "v1"', '*'])('are not sent again to a client that has them: %s', async (tag) => {
    const response = await fetch(`${app().url}/bytes`, { headers: { 'if-none-match': tag } });
    expect([response.status, response.headers.get('etag'), await response.text()]).toEqual([304, '"v1"', '']);
  });

  test('are sent to one that has others', async () => {
    const response = await fetch(`${app().url}/bytes`, { headers: { 'if-none-match': '"v2"' } });
    expect([response.status, response.headers.get('content-length'), await response.text()]).toEqual([
      200,
      '8',
      '{"ä":1}',
    ]);
  });

  test('answer a HEAD with the headers alone', async () => {
    const response = await fetch(`${app().url}/bytes`, { method: 'HEAD' });
    expect([response.status, response.headers.get('content-length'), await response.text()]).toEqual([200, '8', '']);
  });
});

describe('what is seen from outside', () => {
  test('counts requests and times them as the original server did', async () => {
    await call('/bytes');
    const text = await (await fetch(`${app().url}/metrics`)).text();
    expect(text).toMatch(/^api_requests_total\{method="GET",status_code="200"\} \d+$/m);
    for (const bucket of ['0.1', '0.2', '0.5', '1', '2', '5', '+Inf'])
      expect(text).toContain(`api_response_duration_seconds_bucket{le="${bucket}"}`);
    expect(text).toMatch(/^process_cpu_seconds_total /m);
  });

  const lineOf = async (requestId: string, path: string, headers: Record<string, string> = {}): Promise<unknown> => {
    await fetch(app().url + path, { headers: { ...headers, 'x-request-id': requestId } });
    return eventually(() => app().logged.find((line) => line['requestId'] === requestId && line['msg'] === 'request'), {
      what: 'the request is logged',
    });
  };

  test('logs the route of a request and its trace, and neither its parameters nor its query', async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const line = await lineOf('quiet', '/things/hush?token=hush', { traceparent: `00-${traceId}-b7ad6b7169203331-01` });
    expect(line).toMatchObject({ method: 'GET', route: '/things/:thing', traceId, status: 200, level: 20 });
    expect(line).toMatchObject({ ms: expect.any(Number) });
    expect(JSON.stringify(line)).not.toContain('hush');
  });

  test.each([
    ['/u/hush', '/u…'],
    ['/nowhere', '/nowhere'],
    ['/someone@example.com', '/someone…'],
    ['/?hush', '/…'],
  ])('logs no more than the beginning of a path that is no route: %s', async (path, shown) => {
    expect(await lineOf(`of-${path.replaceAll(/\W/g, '-')}`, path)).toMatchObject({ path: shown });
  });

  test('is read as a page, with everything from here', async () => {
    const page = await fetch(`${app().url}/docs`);
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
    const sources = [...(await page.text()).matchAll(/(?:src|<link[^>]*href)="([^"]+)"/g)].map(
      ([, source]) => source ?? '',
    );
    expect(sources).toHaveLength(6);
    for (const source of sources) expect((await fetch(app().url + source)).status).toBe(200);
  });
});

describe('a client that disconnects and a server that stops', () => {
  test('abort the signal of the handler, and end their connections', async () => {
    await using own = await startTestApp({ routes });
    const waiting = fetch(`${own.url}/wait`);
    // The request may arrive before or after the abort; its handler sees it either way.
    own.drain.abort();
    const answer = await waiting;
    expect(((await answer.json()) as Body).message).toBe('the server is stopping');
    const late = await fetch(`${own.url}/health/ready`);
    expect(late.status).toBe(503);
    const page = await fetch(`${own.url}/docs/`);
    for (const { headers } of [answer, late, page]) expect(headers.get('connection')).toBe('close');
  });

  test('are counted as 499 when nobody waited for the answer', async () => {
    await using own = await startTestApp({ routes });
    const request = httpRequest(`${own.url}/wait`);
    request.on('error', () => undefined);
    const sent = new Promise((resolve) => request.once('socket', (socket) => socket.once('connect', resolve)));
    request.end();
    await sent;
    await fetch(`${own.url}/bytes`);
    request.destroy();
    await eventually(async () => (await own.metrics.registry.metrics()).includes('status_code="499"'), {
      what: 'the request that was given up has been counted',
    });
  });
});
