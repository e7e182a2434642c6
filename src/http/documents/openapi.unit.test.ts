import { beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { startTestApp } from '../../../tests/support/httpApp.ts';
import { openApiDocument } from './openapi.ts';
import { route, type Route } from '../route.ts';

const thing = z.object({ id: z.uuid(), parent: z.uuid().nullable() }).meta({ id: 'Thing' });
const routes: Route[] = [
  route({
    method: 'post',
    path: '/api/v1/things/:thingId/parts/:part',
    operationId: 'addPart',
    summary: 'Add a part',
    description: 'Adds a part to a thing.',
    tag: 'Videos',
    auth: 'required',
    params: z.object({ thingId: z.uuid() }),
    query: z.object({ dry: z.enum(['yes', 'no']).default('no').describe('Only look.'), size: z.coerce.number().int() }),
    body: z.object({ name: z.string().trim().min(1), tags: z.array(z.string()).default([]) }),
    responses: {
      201: { description: 'Added.', data: thing, meta: z.object({ total: z.int() }) },
      404: { description: 'No such thing.' },
    },
    handle: () => Promise.resolve(undefined),
  }),
  route({
    method: 'get',
    path: '/api/v1/things',
    operationId: 'listThings',
    summary: 'List',
    description: 'Lists all things.',
    tag: 'Videos',
    auth: 'optional',
    responses: { 200: { description: 'All.', data: z.array(thing) }, 204: { description: 'None.' } },
    handle: () => Promise.resolve(undefined),
  }),
  route({
    method: 'put',
    path: '/api/v1/things',
    operationId: 'uploadThing',
    summary: 'Upload',
    description: 'Uploads a thing.',
    tag: 'Videos',
    auth: 'required',
    limit: 'upload',
    role: 'admin',
    multipart: z.object({ file: z.file(), data: z.string() }),
    responses: { 200: { description: 'Done.' } },
    handle: () => Promise.resolve(undefined),
  }),
];

interface Operation {
  readonly operationId: string;
  readonly security: object[];
  readonly parameters?: { name: string; in: string; required: boolean; schema: object }[];
  readonly requestBody?: {
    content: Record<string, { schema: { properties: Record<string, object>; required: string[] } }>;
  };
  readonly responses: Record<
    string,
    {
      description: string;
      headers: object;
      content?: Record<string, { schema: { $ref?: string; properties?: Record<string, object> } }>;
    }
  >;
}
interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { schemas: Record<string, object>; securitySchemes: object };
}

function refsIn(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([key, value]) => (key === '$ref' ? [value as string] : refsIn(value)));
}

let document: Document;
beforeAll(async () => {
  await using app = await startTestApp({ routes });
  document = (await (await fetch(`${app.url}/openapi.json`)).json()) as Document;
});

describe('the document', () => {
  test('describes requests as they are checked, before defaults and conversions', () => {
    const operation = document.paths['/api/v1/things/{thingId}/parts/{part}']?.['post'];
    expect(operation?.parameters).toEqual([
      expect.objectContaining({
        name: 'thingId',
        in: 'path',
        required: true,
        schema: expect.objectContaining({ type: 'string', format: 'uuid' }),
      }),
      {
        name: 'dry',
        in: 'query',
        required: false,
        description: 'Only look.',
        schema: { type: 'string', enum: ['yes', 'no'], default: 'no' },
      },
      expect.objectContaining({ name: 'size', in: 'query', required: true }),
      expect.objectContaining({ name: 'Idempotency-Key', in: 'header', required: false }),
      { name: 'part', in: 'path', required: true, description: expect.any(String), schema: { type: 'string' } },
    ]);
    const { schema } = operation?.requestBody?.content['application/json'] ?? {};
    expect([schema?.required, Object.keys(schema?.properties ?? {})]).toEqual([['name'], ['name', 'tags']]);
    expect(operation?.security).toEqual([{ bearer: [] }]);
  });

  test('describes the envelope, the headers and the failures of answers', () => {
    const { responses } = document.paths['/api/v1/things/{thingId}/parts/{part}']?.['post'] as Operation;
    expect(Object.keys(responses)).toEqual([
      '201',
      '400',
      '401',
      '404',
      '405',
      '409',
      '413',
      '415',
      '422',
      '429',
      '500',
      '503',
    ]);
    expect(responses['201']?.content?.['application/json']?.schema.properties).toMatchObject({
      success: { const: true },
      statusCode: { const: 201 },
      meta: { type: 'object' },
      data: { $ref: '#/components/schemas/Thing' },
    });
    expect(Object.keys(responses['201']?.headers ?? {})).toEqual(
      expect.arrayContaining(['X-Request-Id', 'X-Event-Position', 'X-Projection-Behind', 'RateLimit-Remaining']),
    );
    expect(responses['429']?.headers).toHaveProperty('Retry-After');
    expect(responses['404']).toMatchObject({
      description: 'No such thing.',
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
    });
    expect(document.paths['/api/v1/things']?.['get']?.responses['204']).not.toHaveProperty('content');
  });

  test('says who may call an operation that needs a role', () => {
    const operation = document.paths['/api/v1/things']?.['put'];
    expect(operation).toMatchObject({
      description: 'Uploads a thing. Needs the role `admin`.',
      security: [{ bearer: [] }],
      responses: { 403: { content: { 'application/json': { example: { code: 'admin_required' } } } } },
    });
    expect(document.paths['/api/v1/things']?.['get']?.responses).not.toHaveProperty('403');
  });

  test('describes the fields of a form', () => {
    const form = document.paths['/api/v1/things']?.['put']?.requestBody?.content['multipart/form-data']?.schema;
    expect(form?.properties).toMatchObject({ file: { type: 'string', format: 'binary' }, data: { type: 'string' } });
  });

  test('refers only to schemas that it contains, each under one name', () => {
    const refs = refsIn(document);
    expect(refs).toContain('#/components/schemas/Thing');
    for (const ref of refs) expect(document).toHaveProperty(ref.replace('#/', '').split('/'));
    expect(JSON.stringify(document)).not.toContain('$defs');
  });

  test('contains the system’s own routes, and no two operations with the same name', () => {
    const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(expect.arrayContaining(['getHealth', 'getMetrics', 'getOpenApi']));
    expect(document.openapi).toBe('3.1.0');
    expect(openApiDocument([])).toMatchObject({ paths: {} });
  });
});
