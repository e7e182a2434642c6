import { describe, expect } from '@jest/globals';
import { eventually } from '../../support/eventually.ts';
import { call, newPerson } from '../../support/systemClient.ts';
import type { Setting } from './setting.ts';

interface OpenApi {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            readonly responses: Readonly<Record<string, { readonly description: string }>>;
            readonly operationId: string;
          }
        >
      >
    >
  >;
}

const routes = [
  'post /api/v1/auth/register',
  'post /api/v1/auth/login',
  'post /api/v1/auth/refresh-token',
  'post /api/v1/auth/logout',
  'get /api/v1/auth/me',
  'post /api/v1/video/upload',
  'get /api/v1/video',
  'get /api/v1/video/{videoId}',
  'post /api/v1/video/{videoId}',
  'post /api/v1/video/{videoId}/retry',
  'put /api/v1/video/{videoId}/like',
  'delete /api/v1/video/{videoId}/like',
  'get /api/v1/analytics',
  'get /health',
];

export function operationsContract({ system, systemTest }: Setting): void {
  describe('operations', () => {
    systemTest('every process reports that it is healthy, alive and ready, and names its components', async () => {
      for (const { url } of system().processes) {
        // On a busy machine a component may not answer within a second; it then counts as down until the next check.
        const health = await eventually(() => fetch(`${url}/health`), {
          what: `${url} is healthy`,
          holds: ({ status }) => status === 200,
        });
        const said = (await health.json()) as { components: Record<string, { status: string }> };
        expect(said).toMatchObject({
          success: true,
          message: 'API is healthy!',
          timestamp: expect.any(String),
          components: expect.any(Object),
        });
        expect(Object.keys(said.components).length).toBeGreaterThan(0);
        for (const component of Object.values(said.components))
          expect(component).toMatchObject({ status: expect.any(String) });
        expect((await fetch(`${url}/health/live`)).status).toBe(200);
        await eventually(async () => (await fetch(`${url}/health/ready`)).ok, { what: `${url} is ready` });
      }
    });

    systemTest('the two metrics of the original server have their names, labels and buckets', async () => {
      const api = system().apis[0]!;
      await call(api, 'GET', '/api/v1/nothing');
      const answer = await fetch(`${api}/metrics`);
      expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
      const text = await answer.text();
      expect(text).toContain('# TYPE api_requests_total counter');
      expect(text).toMatch(/^api_requests_total\{method="GET",status_code="404"\} \d+$/m);
      expect(text).toContain('# TYPE api_response_duration_seconds histogram');
      const buckets = [...text.matchAll(/^api_response_duration_seconds_bucket\{le="([^"]+)"/gm)].map(([, le]) => le);
      expect(buckets).toEqual(['0.1', '0.2', '0.5', '1', '2', '5', '+Inf']);
    });

    systemTest('every process has metrics', async () => {
      for (const { url } of system().processes)
        expect(await (await fetch(`${url}/metrics`)).text()).toContain('# TYPE ');
    });

    systemTest('the OpenAPI document has every route, its answers, and everything that it refers to', async () => {
      const document = (await (await fetch(`${system().api()}/openapi.json`)).json()) as OpenApi;
      expect(document.openapi).toMatch(/^3\.1\./);
      expect(document.info).toMatchObject({ title: expect.any(String), version: expect.any(String) });
      const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, ...operation })),
      );
      expect(operations.map(({ name }) => name)).toEqual(expect.arrayContaining(routes));
      for (const { name, responses } of operations) {
        expect([name, Object.keys(responses).length > 0]).toEqual([name, true]);
        for (const response of Object.values(responses))
          expect(response).toMatchObject({ description: expect.any(String) });
      }
      const ids = operations.map(({ operationId }) => operationId);
      expect(new Set(ids).size).toBe(ids.length);
      const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) => path!);
      expect(references).toContain('components/schemas/Video');
      for (const reference of references) {
        const found = reference
          .split('/')
          .reduce<unknown>(
            (node, key) => (node as Record<string, unknown> | undefined)?.[key.replaceAll('~1', '/')],
            document,
          );
        expect([reference, found]).toEqual([reference, expect.anything()]);
      }
      expect((await fetch(`${system().api()}/docs`)).status).toBe(200);
    });

    systemTest('every route of the document exists: none answers 404 for its path or 405 for its method', async () => {
      const api = system().api();
      const { token } = await newPerson(api);
      const document = (await (await fetch(`${api}/openapi.json`)).json()) as OpenApi;
      for (const [path, methods] of Object.entries(document.paths)) {
        for (const method of Object.keys(methods)) {
          const answer = await call(
            api,
            method.toUpperCase(),
            path.replaceAll(/\{[^}]+\}/g, '00000000-0000-7000-8000-000000000000'),
            { token },
          );
          expect([method, path, answer.status]).not.toEqual([method, path, 405]);
          expect([method, path, answer.body?.code]).not.toEqual([method, path, 'route_not_found']);
        }
      }
    });

    systemTest('the root answers', async () => {
      const answer = await fetch(`${system().api()}/`);
      expect(answer.status).toBe(200);
      await answer.body?.cancel();
    });
  });
}
