import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { v7 } from 'uuid';
import { startTestApp, TEST_JWT_SECRET, type TestApp } from '../../tests/support/httpApp.ts';
import { fc } from '../../tests/support/property.ts';
import { feed, routeTags } from '../features/index.ts';
import { realtimeDocs } from '../realtime/realtimeDocs.ts';
import { declaredApiRoutes } from './declaredRoutes.ts';

interface Schema {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly [keyword: string]: unknown;
}
interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly description?: string;
}
interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly security: readonly object[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}
interface Document {
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>>; readonly securitySchemes: object };
}

/** The declared routes behind real HTTP. What gets past the checks of its route is answered with 200. */
let app: TestApp;
let document: Document;
beforeAll(async () => {
  const routes = declaredApiRoutes().map((route) => ({
    ...route,
    handle: () => Promise.resolve({ status: 200, message: 'accepted' }),
  }));
  app = await startTestApp({ routes, tags: routeTags, realtime: realtimeDocs(feed) });
  document = (await (await fetch(`${app.url}/openapi.json`)).json()) as Document;
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
});

const token = jwt.sign(
  { id: v7(), name: 'Ada', username: 'ada', email: 'ada@example.org', role: 'admin' },
  TEST_JWT_SECRET,
);

const plainWords = /^(?:The (?:address|query|body)|[A-Za-z][\w.]*) (?:is required|must (?:not )?[a-z][^]*)$/;
const wordsOfZod =
  /expected|received|invalid|too (?:small|big)|unrecognized|[<>]=|\bNaN\b|undefined|must match|must be valid|must have one of the forms/i;

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom(
    '',
    ' ',
    'a',
    'ab',
    '0',
    '-1',
    '1.5',
    '1e9',
    'abcdef',
    '123456',
    'abc123',
    '\u200b',
    '\u202e',
    '2025-13-01',
    'a@b',
    v7(),
  ),
  fc.integer({ min: 1, max: 6_000 }).map((length) => 'x'.repeat(length)),
);
const value = fc.oneof(text, fc.jsonValue(), fc.constant(undefined));

function fieldsOf(schema: Schema = {}): string[] {
  const found = schema.$ref === undefined ? schema : document.components.schemas[schema.$ref.split('/').at(-1)!];
  return Object.keys(found?.properties ?? {});
}

function badRequests({
  parameters = [],
  requestBody,
}: Operation): fc.Arbitrary<{ query: string; body: string | undefined }> {
  const names = parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name);
  const query = fc
    .dictionary(
      fc.constantFrom(...names, 'unknown'),
      text.map((found) => found.slice(0, 300)),
    )
    .map((pairs) => new URLSearchParams(pairs).toString());
  const schema = requestBody?.content['application/json']?.schema;
  if (schema === undefined) return fc.record({ query, body: fc.constant(undefined) });
  const fields = Object.fromEntries([...fieldsOf(schema), 'unknown'].map((name) => [name, value]));
  return fc.record({
    query,
    body: fc
      .oneof({ weight: 4, arbitrary: fc.record(fields) }, { weight: 1, arbitrary: fc.jsonValue() })
      .map((json) => JSON.stringify(json)),
  });
}

describe('the routes of the API', () => {
  test('refuse generated bad requests in plain words, and never in those of the library that checks them', async () => {
    const refused = new Map<string, number>();
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
    );
    for (const { path, method, operation } of operations) {
      await fc.assert(
        fc.asyncProperty(badRequests(operation), async ({ query, body }) => {
          const response = await fetch(`${app.url}${path.replace('{videoId}', v7())}?${query}`, {
            method: method.toUpperCase(),
            headers: {
              authorization: `Bearer ${token}`,
              ...(body !== undefined && { 'content-type': 'application/json' }),
            },
            ...(body !== undefined && { body }),
          });
          const answer = (await response.text()) || '{}';
          expect([200, 400, 503]).toContain(response.status);
          if (response.status !== 400) return;
          refused.set(operation.operationId, (refused.get(operation.operationId) ?? 0) + 1);
          const { code, message, errorMessages } = JSON.parse(answer) as {
            code: string;
            message: string;
            errorMessages: { path: string; message: string }[];
          };
          expect([code, message]).toEqual(['validation_failed', errorMessages[0]?.message]);
          for (const each of errorMessages) {
            expect(each.message).toMatch(plainWords);
            expect(each.message).not.toMatch(wordsOfZod);
          }
        }),
        { numRuns: 50 },
      );
    }
    expect([...refused.keys()]).toEqual(
      expect.arrayContaining(['register', 'logIn', 'changeVideoDetails', 'listVideos', 'getAnalytics']),
    );
  }, 300_000);

  test.each([
    [{}, 'name is required'],
    [
      { name: 'Ada Lovelace', username: 'ada', email: 'ada@example.org', password: 'engines!' },
      'password must contain a digit',
    ],
    [
      { name: 'Ada Lovelace', username: 'ada', email: 'ada', password: 'x' },
      'email must be an e-mail address like ada@example.org',
    ],
    [
      { name: '\u200b\u200b\u200b', username: 'ada', email: 'ada@example.org', password: 'engine#1843' },
      'name must have at least 3 characters',
    ],
  ])('say of %j: %s', async (body, message) => {
    const response = await fetch(`${app.url}/api/v1/auth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect([response.status, await response.json()]).toEqual([400, expect.objectContaining({ message })]);
  });
});

describe('the document of the API', () => {
  test('describes every operation, tag and parameter, without Markdown in its summaries', () => {
    for (const operation of Object.values(document.paths).flatMap((path) => Object.values(path))) {
      expect(operation.summary).toMatch(/^[A-Z][\w’ ]{4,50}$/);
      expect(operation.description).toMatch(/^[A-Z`][^]{15,}\.$/);
      for (const parameter of operation.parameters ?? [])
        expect(parameter).toMatchObject({ description: expect.stringMatching(/\S/) });
    }
    for (const tag of document.tags) expect(tag.description).toMatch(/\S/);
  });

  test('fills in no header and no query on the page that sends requests from it', () => {
    for (const operation of Object.values(document.paths).flatMap((path) => Object.values(path))) {
      for (const parameter of operation.parameters ?? [])
        if (parameter.in !== 'path') expect(parameter).not.toHaveProperty('example');
    }
  });

  test('has no number that only says how large numbers can be', () => {
    const text = JSON.stringify(document);
    expect(text).not.toContain(String(Number.MAX_SAFE_INTEGER));
    expect(text).not.toContain('apiKey');
  });

  test('gives every plain value that is sent or answered an example', () => {
    const without: string[] = [];
    const look = (schema: Schema, at: string): void => {
      const { type, examples, properties = {}, items, anyOf } = schema;
      const settled =
        examples !== undefined || 'const' in schema || 'default' in schema || schema['format'] === 'binary';
      if (!settled && (type === 'string' || type === 'integer' || type === 'number' || type === 'boolean'))
        without.push(at);
      for (const [name, property] of Object.entries(properties)) look(property, `${at}.${name}`);
      if (typeof items === 'object') look(items as Schema, `${at}[]`);
      if (!settled && Array.isArray(anyOf)) for (const each of anyOf as Schema[]) if (each.properties) look(each, at);
    };
    for (const [name, schema] of Object.entries(document.components.schemas)) look(schema, name);
    for (const operation of Object.values(document.paths).flatMap((path) => Object.values(path))) {
      for (const { schema } of Object.values(operation.requestBody?.content ?? {})) look(schema, operation.operationId);
    }
    expect(without).toEqual([]);
  });

  test('tells the rules of a password and of a change, and of a cursor', () => {
    const { Registration, ChangedDetails } = document.components.schemas;
    expect(Registration?.properties?.['password']).toMatchObject({
      minLength: 6,
      maxLength: 200,
      allOf: [{ pattern: '\\p{L}' }, { pattern: '\\p{N}' }, { pattern: '[^\\p{L}\\p{N}]' }],
    });
    expect(ChangedDetails).toMatchObject({
      anyOf: [{ required: ['title'] }, { required: ['description'] }, { required: ['visibility'] }],
    });
    const cursor = document.paths['/api/v1/video']?.['get']?.parameters?.find(({ name }) => name === 'cursor');
    expect(cursor).toMatchObject({
      schema: { pattern: expect.any(String) },
      description: expect.stringContaining('nextCursor'),
    });
  });

  test('is what the command line prints', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['bin/reelstream.js', 'openapi'], {
      maxBuffer: 10 * 1024 * 1024,
    });
    expect(JSON.parse(stdout)).toEqual(document);
  });
});
