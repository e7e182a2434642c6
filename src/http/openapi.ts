import { z } from 'zod';
import { errorBody, standardResponses } from './openapiErrors.ts';
import type { ResponseDescription, Route } from './route.ts';

type Json = Record<string, unknown>;

/** The OpenAPI 3.1 document of routes, out of the schemas that check their requests. */
export function openApiDocument(routes: readonly Route[]): Json {
  const schemas = new SchemaCollection();
  schemas.of(errorBody, 'output');
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    (paths[path] ??= {})[route.method] = operation(route, schemas);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'ReelStream',
      version: '1.0.0',
      description: 'Short videos, event-sourced. Successes and failures come in one envelope each; every response carries `X-Request-Id`.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: schemas.all,
      securitySchemes: {
        ...Object.fromEntries(routes.flatMap(({ cookie }) => (cookie === undefined ? [] : [[cookie, { type: 'apiKey', in: 'cookie', name: cookie }]]))),
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'The access token that login and refresh-token give.' },
      },
    },
  };
}

function operation(route: Route, schemas: SchemaCollection): Json {
  const parameters = [...parametersIn('path', route.params, schemas), ...parametersIn('query', route.query, schemas), ...headerParameters(route)];
  const declared = new Set(parameters.map(({ name }) => name));
  for (const [, name] of route.path.matchAll(/:(\w+)/g)) {
    if (!declared.has(name)) parameters.push({ name, in: 'path', required: true, schema: { type: 'string' } });
  }
  return {
    operationId: route.operationId,
    summary: route.summary,
    tags: [route.tag],
    security: route.cookie === undefined ? { none: [], optional: [{}, { bearer: [] }], required: [{ bearer: [] }] }[route.auth] : [{ [route.cookie]: [] }],
    ...(parameters.length > 0 && { parameters }),
    ...requestBody(route, schemas),
    responses: responses(route, schemas),
  };
}

function parametersIn(place: 'path' | 'query', schema: z.ZodType | undefined, schemas: SchemaCollection): Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = schemas.of(schema, 'input') as { properties?: Record<string, Json>; required?: string[] };
  return Object.entries(properties).map(([name, { description, ...property }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(description !== undefined && { description }),
    schema: property,
  }));
}

function headerParameters({ method, tag, etag, multipart }: Route): Json[] {
  if (tag === 'System') return [];
  const text = { type: 'string' };
  const rows: [applies: boolean, name: string, description: string, schema: Json][] = [
    [method === 'get', 'X-Min-Position', 'Answer only once the view has passed this `X-Event-Position` (waits 2 s at most).', { ...text, pattern: '^\\d{1,19}$' }],
    [method === 'get' && etag === true, 'If-None-Match', 'The `ETag` of what the client has: 304 when it is still so.', text],
    [method !== 'get' && etag === true, 'If-Match', 'The `ETag` that the client has seen: 412 when it has changed since.', text],
    [multipart !== undefined, 'Prefer', '`respond-async`: answer as soon as it is received, without waiting for its processing.', text],
    [method !== 'get', 'Idempotency-Key', 'Names this command: sent again with the same key, it takes effect once and is answered alike for 24 hours.', { ...text, minLength: 1, maxLength: 255 }],
  ];
  return rows.flatMap(([applies, name, description, schema]) => (applies ? [{ name, in: 'header', required: false, description, schema }] : []));
}

function requestBody({ body, multipart }: Route, schemas: SchemaCollection): Json {
  if (multipart !== undefined) return { requestBody: { required: true, content: { 'multipart/form-data': { schema: schemas.of(multipart, 'input') } } } };
  if (body !== undefined) return { requestBody: { required: true, content: { 'application/json': { schema: schemas.of(body, 'input') } } } };
  return {};
}

function responses(route: Route, schemas: SchemaCollection): Json {
  const given = Object.entries(route.responses).map(([status, description]) => [status, response(Number(status), description, route, schemas)] as const);
  const standard = standardResponses(route).map(([status, description]) => [String(status), response(status, { description }, route, schemas)] as const);
  return Object.fromEntries([...standard, ...given]);
}

function response(status: number, { description, data, meta, body, contentType, headers: own = {} }: ResponseDescription, route: Route, schemas: SchemaCollection): Json {
  const headers = { ...responseHeaders(status, route), ...Object.fromEntries(Object.entries(own).map(([name, says]) => [name, { description: says, schema: { type: 'string' } }])) };
  if (status === 204 || status === 304) return { description, headers };
  if (contentType !== undefined) return { description, headers, content: { [contentType]: { schema: body === undefined ? {} : schemas.of(body, 'output') } } };
  if (status >= 400) return { description, headers, content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } } };
  const envelope = {
    type: 'object',
    required: ['success', 'statusCode', 'message', ...(data === undefined ? [] : ['data'])],
    properties: {
      success: { const: true },
      statusCode: { const: status },
      message: { type: 'string' },
      ...(meta !== undefined && { meta: schemas.of(meta, 'output') }),
      ...(data !== undefined && { data: schemas.of(data, 'output') }),
    },
  };
  return { description, headers, content: { 'application/json': { schema: envelope } } };
}

function responseHeaders(status: number, { method, tag, limit, etag }: Route): Json {
  const text = (description: string): Json => ({ description, schema: { type: 'string' } });
  const count = (description: string): Json => ({ description, schema: { type: 'integer' } });
  return {
    'X-Request-Id': text('Names this request in our logs; the one that was sent, if any.'),
    ...(tag !== 'System' && method !== 'get' && status < 300 && { 'X-Event-Position': text('Where in the log the command lies.') }),
    ...(tag !== 'System' && method !== 'get' && status < 300 && { 'X-Projection-Behind': text('`true` when the views had not taken it in within 2 s.') }),
    ...(tag !== 'System' && method !== 'get' && { 'Idempotent-Replay': text('`true` on an answer that is given again under its `Idempotency-Key`.') }),
    ...(etag === true && status < 400 && { ETag: text('Changes whenever the answer does.') }),
    ...(limit !== 'none' && { 'RateLimit-Limit': count('Requests a window.'), 'RateLimit-Remaining': count('Requests left in it.'), 'RateLimit-Reset': count('Seconds until the next.') }),
    ...((status === 429 || status === 503) && { 'Retry-After': count('Seconds.') }),
    ...(status === 405 && { Allow: text('Methods that are possible.') }),
  };
}

/** Schemas as JSON Schema; those with an id lie in one place and are referred to. */
class SchemaCollection {
  readonly all: Record<string, unknown> = {};

  of(schema: z.ZodType, io: 'input' | 'output'): Json {
    const { $schema: _, $defs, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any', reused: 'inline' }) as Json;
    for (const [id, definition] of Object.entries(($defs as Json | undefined) ?? {})) {
      const { id: _id, ...plain } = relocated(definition) as Json;
      this.all[id] = plain;
    }
    return relocated(rest) as Json;
  }
}

function relocated(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(relocated);
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, key === '$ref' && typeof value === 'string' ? value.replace('#/$defs/', '#/components/schemas/') : relocated(value)]),
  );
}
