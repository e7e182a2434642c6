import type { z } from 'zod';
import { version } from '../../core/version.ts';
import { errorBody, errorExample, standardResponses } from './openapiErrors.ts';
import { answerHeaders, headerParameters, responseHeaders } from './openapiHeaders.ts';
import { systemTag } from '../server/systemRoutes.ts';
import { SchemaCollection, type Json } from './openapiSchemas.ts';
import type { ResponseDescription, Route } from '../route.ts';

const INTRODUCTION = `A backend for short videos in which the event log is the database.

Every JSON answer comes in one envelope: \`{ success, statusCode, message, meta?, data }\` for a success, the schema \`Error\` for a failure.

**Authentication.** Register, log in, and send the access token as \`Authorization: Bearer …\`. It expires within minutes. \`refresh-token\` gives a new one for the cookie \`refreshToken\`. Login sets this cookie, and scripts cannot read it.

**Reading your own writes.** Answers to commands carry \`X-Event-Position\`. Send it as \`X-Min-Position\` with a query to see the change on any server.

**Real time.** Events are also pushed over Socket.io: see [/docs/realtime](/docs/realtime).

**Sending a command again.** Give it an \`Idempotency-Key\`: it then takes effect once.

**Text** is Unicode. Lengths are in characters (code points). Text with NUL characters or unpaired surrogates is refused, except where the text is cleaned, as in titles.`;

/**
 * The OpenAPI 3.1 document of the routes, made from the schemas that check their requests.
 * @param tags a sentence about each group of routes
 */
export function openApiDocument(routes: readonly Route[], tags: Readonly<Record<string, string>> = {}): Json {
  const descriptions: Readonly<Record<string, string>> = { ...tags, ...systemTag };
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
      version,
      description: INTRODUCTION,
      contact: { name: 'The operator of this server' },
      license: { name: 'MIT', url: 'https://spdx.org/licenses/MIT.html' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(routes.map(({ tag }) => tag))].sort().map((name) => ({ name, description: descriptions[name] })),
    paths,
    components: {
      schemas: schemas.all,
      headers: answerHeaders,
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'The access token from `login` or `refresh-token`.',
        },
      },
    },
  };
}

function operation(route: Route, schemas: SchemaCollection): Json {
  const parameters = [
    ...parametersIn('path', route.params, schemas),
    ...parametersIn('query', route.query, schemas),
    ...headerParameters(route),
    ...parametersIn('header', route.requestHeaders, schemas),
  ];
  const declared = new Set(parameters.map(({ name }) => name));
  for (const [, name] of route.path.matchAll(/:(\w+)/g)) {
    if (!declared.has(name))
      parameters.push({
        name,
        in: 'path',
        required: true,
        description: 'Part of the address.',
        schema: { type: 'string' },
      });
  }
  return {
    operationId: route.operationId,
    summary: route.summary,
    description:
      route.role === undefined ? route.description : `${route.description} Needs the role \`${route.role}\`.`,
    tags: [route.tag],
    security: { none: [], optional: [{}, { bearer: [] }], required: [{ bearer: [] }] }[route.auth],
    ...(parameters.length > 0 && { parameters }),
    ...requestBody(route, schemas),
    responses: responses(route, schemas),
  };
}

function parametersIn(
  place: 'path' | 'query' | 'header',
  schema: z.ZodType | undefined,
  schemas: SchemaCollection,
): Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = schemas.of(schema, 'input') as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, examples, ...property }]) => {
    const isRequired = place === 'path' || required.includes(name);
    return {
      name,
      in: place,
      required: isRequired,
      ...(description !== undefined && { description }),
      schema: property,
      ...(isRequired && place !== 'header' && firstOf(examples)),
    };
  });
}

/** Optional parameters have no example: the page `/docs` would fill it in and send it with every request. */
function firstOf(examples: unknown): Json {
  return Array.isArray(examples) ? { example: examples[0] as unknown } : {};
}

function requestBody({ body, multipart, bytes }: Route, schemas: SchemaCollection): Json {
  if (bytes !== undefined)
    return { requestBody: { content: { [bytes]: { schema: { type: 'string', format: 'binary' } } } } };
  if (multipart !== undefined)
    return {
      requestBody: { required: true, content: { 'multipart/form-data': { schema: schemas.of(multipart, 'input') } } },
    };
  if (body !== undefined)
    return { requestBody: { required: true, content: { 'application/json': { schema: schemas.of(body, 'input') } } } };
  return {};
}

function responses(route: Route, schemas: SchemaCollection): Json {
  const all = new Map([
    ...standardResponses(route),
    ...Object.entries(route.responses).map(([status, description]) => [Number(status), description] as const),
  ]);
  return Object.fromEntries(
    [...all].map(([status, description]) => [String(status), response(status, description, route, schemas)]),
  );
}

function response(status: number, described: ResponseDescription, route: Route, schemas: SchemaCollection): Json {
  const { description, data, meta, body, contentType, message, headers: own = {}, also = {} } = described;
  const headers = {
    ...responseHeaders(status, route),
    ...Object.fromEntries(
      Object.entries(own).map(([name, says]) => [name, { description: says, schema: { type: 'string' } }]),
    ),
  };
  if (status === 204 || status === 304) return { description, headers };
  if (contentType !== undefined)
    return {
      description,
      headers,
      content: { [contentType]: { schema: body === undefined ? {} : schemas.of(body, 'output') } },
    };
  if (status >= 400) {
    const error = { schema: { $ref: '#/components/schemas/Error' }, example: errorExample(route, status, described) };
    return { description, headers, content: { 'application/json': error } };
  }
  const envelope = {
    type: 'object',
    required: ['success', 'statusCode', 'message', ...(data === undefined ? [] : ['data'])],
    properties: {
      success: { type: 'boolean', const: true },
      statusCode: { type: 'integer', const: status },
      message: { type: 'string', ...(message !== undefined && { examples: [message] }) },
      ...(meta !== undefined && { meta: schemas.of(meta, 'output') }),
      ...(data !== undefined && { data: schemas.of(data, 'output') }),
    },
  };
  const others = Object.entries(also).map(
    ([type, example]) => [type, { schema: { type: 'string' }, example }] as const,
  );
  return { description, headers, content: { 'application/json': { schema: envelope }, ...Object.fromEntries(others) } };
}
