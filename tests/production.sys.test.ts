import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Instance, newPlace, type Place } from './support/instance.ts';

jest.setTimeout(120_000);

const TOKEN = 'shown by Prometheus';
let place: Place;
let instance: Instance;
beforeAll(async () => {
  place = await newPlace();
  const env = { NODE_ENV: 'production', MONITORING_TOKEN: TOKEN, CORS_ORIGIN: '*,https://app.example.org' };
  instance = await new Instance({ ...place, env }).ready();
});
afterAll(async () => {
  await instance[Symbol.asyncDispose]();
  await place[Symbol.asyncDispose]();
});

const get = (path: string, headers: Record<string, string> = {}, base = instance.url): Promise<Response> =>
  fetch(new URL(path, base), { headers: { ...headers, connection: 'close' } });

/** An address of this machine in its network. A request to it does not come from localhost. */
function outsideUrl(): string | undefined {
  const address = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal);
  return address && `http://${address.address}:${place.port}`;
}

describe('in production', () => {
  test('every response has HSTS and a content security policy that forbids everything, with base-uri and form-action', async () => {
    for (const path of ['/api/v1/video', '/nowhere', '/health', '/docs/', '/media/nothing']) {
      const { headers } = await get(path);
      expect(headers.get('strict-transport-security')).toBe('max-age=31536000');
      const policy = headers.get('content-security-policy')!.split(';');
      expect(policy).toEqual(
        expect.arrayContaining([
          "default-src 'none'",
          "base-uri 'none'",
          "form-action 'none'",
          "frame-ancestors 'none'",
        ]),
      );
      expect([headers.get('x-content-type-options'), headers.get('x-frame-options')]).toEqual(['nosniff', 'DENY']);
    }
  });

  test.each(['/docs/', '/docs/realtime', '/'])(
    'the page %s names no referrer, and is alone in its window',
    async (path) => {
      const { headers } = await get(path, { accept: 'text/html' });
      expect([headers.get('referrer-policy'), headers.get('cross-origin-opener-policy')]).toEqual([
        'no-referrer',
        'same-origin',
      ]);
    },
  );

  test.each([
    ['https://app.example.org', 'https://app.example.org', 'true'],
    ['https://elsewhere.example', '*', null],
    ['http://localhost:5173', '*', null],
  ])('a page at %s gets %s, with credentials: %s', async (origin, allowed, credentials) => {
    const { headers } = await get('/api/v1/video', { origin });
    expect([headers.get('access-control-allow-origin'), headers.get('access-control-allow-credentials')]).toEqual([
      allowed,
      credentials,
    ]);
  });

  test('metrics and the components in /health are only for this machine and for callers with the token', async () => {
    const bearer = { authorization: `Bearer ${TOKEN}` };
    const outside: [base: string, headers: Record<string, string>][] = [
      [instance.url, { 'x-forwarded-for': '203.0.113.7' }],
    ];
    if (outsideUrl() !== undefined) outside.push([outsideUrl()!, {}]);
    for (const [base, headers] of outside) {
      expect((await get('/metrics', headers, base)).status).toBe(401);
      expect((await get('/metrics', { ...headers, authorization: 'Bearer guessed' }, base)).status).toBe(401);
      expect((await get('/metrics', { ...headers, ...bearer }, base)).status).toBe(200);
      const health = await get('/health', headers, base);
      expect([health.status, await health.json()]).toEqual([
        200,
        { success: true, message: 'API is healthy!', timestamp: expect.any(String) },
      ]);
      expect(await (await get('/health', { ...headers, ...bearer }, base)).json()).toHaveProperty(
        'components.postgres.status',
        'up',
      );
      expect((await get('/health/ready', headers, base)).status).toBe(200);
    }
    expect(await (await get('/metrics')).text()).toContain('api_requests_total');
    expect(await (await get('/health')).json()).toHaveProperty('components.postgres.status', 'up');
  });
});
