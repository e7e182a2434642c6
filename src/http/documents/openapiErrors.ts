import { z } from 'zod';
import { DomainError } from '../../core/errors.ts';
import { exampleValues } from './exampleValues.ts';
import { parseIdempotencyKey } from '../consistency/idempotency.ts';
import { parseMinPosition } from '../consistency/minPosition.ts';
import type { Json } from './openapiSchemas.ts';
import type { ResponseDescription, Route } from '../route.ts';
import { validate } from '../request/validate.ts';

/** The body of every failure. */
export const errorBody = z
  .object({
    success: z.literal(false),
    statusCode: z
      .int()
      .min(400)
      .max(599)
      .meta({ examples: [400] }),
    message: z
      .string()
      .meta({
        description: 'For people. For a request that is not valid: what is wrong with its first field.',
        examples: ['title is required'],
      }),
    code: z.string().meta({ description: 'For programs: stable, in snake_case.', examples: ['validation_failed'] }),
    errorMessages: z
      .array(
        z.object({
          path: z.string().meta({ description: 'The field; empty for the request as a whole.', examples: ['title'] }),
          message: z.string().meta({ examples: ['title is required'] }),
        }),
      )
      .meta({ description: 'What is wrong: one message per field, in the order of the schema.' }),
    requestId: z.string().meta({ description: 'The same as `X-Request-Id`.', examples: [exampleValues.requestId] }),
  })
  .meta({ id: 'Error', description: 'A failure.' });

type Row = readonly [applies: boolean, status: number, description: string, code: string];

/** Answers that a route need not declare, mostly failures. */
export function standardResponses(route: Route): [status: number, description: ResponseDescription][] {
  const rows: readonly Row[] = route.tag === 'System' ? systemRows : apiRows(route);
  return rows.flatMap(([applies, status, description, code]) => (applies ? [[status, { description, code }]] : []));
}

const wrongMethod: Row = [
  true,
  405,
  'This address does not support this method. `Allow` lists the methods that it supports.',
  'method_not_allowed',
];
const fault: Row = [true, 500, 'Something went wrong on the side of the server.', 'internal_error'];
const systemRows: readonly Row[] = [wrongMethod, fault];

function apiRows({ method, auth, role, body, etag, limit }: Route): readonly Row[] {
  const isCommand = method !== 'get';
  return [
    [etag === true && !isCommand, 304, 'The client already has this answer (`If-None-Match`).', ''],
    [
      true,
      400,
      'The request is not valid. `message` says what is wrong with the first field, `errorMessages` with each.',
      'validation_failed',
    ],
    [auth === 'required', 401, 'The access token is missing or no longer valid.', 'authentication_required'],
    [role !== undefined, 403, 'The user does not have the role `admin`.', 'admin_required'],
    wrongMethod,
    [
      isCommand,
      409,
      'Another request was first, or the first request with this `Idempotency-Key` is still running.',
      'conflict',
    ],
    [body !== undefined, 413, 'The body is too large.', 'body_too_large'],
    [body !== undefined, 415, 'The body is not JSON.', 'unsupported_media_type'],
    [
      isCommand,
      422,
      'The request is well-formed but cannot be carried out, or its `Idempotency-Key` belongs to another request.',
      'idempotency_key_reused',
    ],
    [limit !== 'none', 429, 'Too many requests. `Retry-After` says when to try again.', 'rate_limited'],
    fault,
    [
      true,
      503,
      'A part that is needed does not answer, or the read model has not caught up or is being rebuilt. Try again.',
      'projection_behind',
    ],
  ];
}

/** An example of a failure of a route. For 400 it is the answer of the route's own checks to a malformed request. */
export function errorExample(route: Route, statusCode: number, { description, code }: ResponseDescription): Json {
  const refused = statusCode === 400 ? refusalOf(route) : undefined;
  const message = refused?.message ?? description.replaceAll('`', '').split(/(?<=\.) /)[0];
  const { requestId } = exampleValues;
  return {
    success: false,
    statusCode,
    message,
    code: refused?.code ?? code ?? 'bad_request',
    errorMessages: refused?.fields ?? [],
    requestId,
  };
}

function refusalOf(route: Route): DomainError | undefined {
  const query = Object.fromEntries(
    Object.keys((route.query as z.ZodObject | undefined)?.shape ?? {}).map((name) => [name, 'x']),
  );
  try {
    if (route.multipart === undefined)
      validate({ query: route.query, body: route.body }, { params: undefined, query, body: {} });
    if (route.method === 'get') parseMinPosition('x');
    else parseIdempotencyKey('');
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
  return undefined;
}
