import { exampleValues } from './exampleValues.ts';
import type { Json } from './openapiSchemas.ts';
import type { Route } from '../route.ts';

const EXAMPLE_ETAG = '"3-2jmj7l5rSw0yVb_vlWAYkK_YBwk"';

interface HeaderParameter {
  readonly name: string;
  readonly applies: boolean;
  readonly description: string;
  readonly schema?: Json;
}

/**
 * Headers that a route reads, as parameters. They have no examples: the page `/docs` would fill them in and send the
 * same key with every command.
 */
export function headerParameters({ method, tag, etag, multipart }: Route): Json[] {
  if (tag === 'System') return [];
  const isQuery = method === 'get';
  const rows: readonly HeaderParameter[] = [
    {
      name: 'X-Min-Position',
      applies: isQuery,
      description:
        'A position as `X-Event-Position` gave it, such as `1024`. The answer comes once the read model has passed it, so that a client sees its own changes on every server. After 2 seconds: 503 `projection_behind`. At once, while the read model is being rebuilt: 503 `projection_rebuilding`. At once, while the read model is being rebuilt: 503 `projection_rebuilding`.',
      schema: { pattern: '^\\d{1,19}$' },
    },
    {
      name: 'If-None-Match',
      applies: isQuery && etag === true,
      description: 'The `ETag` of the answer that the client has. 304 without a body when it has not changed.',
    },
    {
      name: 'If-Match',
      applies: !isQuery && etag === true,
      description:
        'The `ETag` of this video, such as `"3"`, with its quotation marks. The command takes effect only if the video has not changed since; otherwise: 412. Views and likes do not count as changes. Without this header, or with `*`, the version is not checked.',
    },
    {
      name: 'Prefer',
      applies: multipart !== undefined,
      description:
        '`respond-async`: the answer 202 comes as soon as the file is received and checked, without waiting for its processing (RFC 7240). Other values have no effect.',
    },
    {
      name: 'Idempotency-Key',
      applies: !isQuery,
      description:
        'Names this command, so that it can be sent again safely. For 24 hours, the same request with the same key takes effect once and gets the same answer; another request with that key gets 422. 1 to 255 visible ASCII characters; an empty key gets 400. A random UUID is a good key.',
      schema: { pattern: '^[\\x21-\\x7e]{1,255}$', minLength: 1, maxLength: 255 },
    },
  ];
  return rows.flatMap(({ name, applies, description, schema }) =>
    applies ? [{ name, in: 'header', required: false, description, schema: { type: 'string', ...schema } }] : [],
  );
}

const text = (description: string, example: string): Json => ({ description, schema: { type: 'string' }, example });
const count = (description: string, example: number): Json => ({
  description,
  schema: { type: 'integer', minimum: 0 },
  example,
});

/** Headers of answers, for `components/headers`. */
export const answerHeaders = {
  'X-Request-Id': text(
    'Names this request in the logs of the server. The one that the client sent, if any.',
    exampleValues.requestId,
  ),
  'X-Event-Position': text(
    "The position of the command's events in the event log, for `X-Min-Position`.",
    exampleValues.position,
  ),
  'X-Projection-Behind': text('`true` when queries may not show the command yet.', 'true'),
  'Idempotent-Replay': text('`true` when this is the stored answer for its `Idempotency-Key`.', 'true'),
  ETag: text('Changes whenever the answer does.', EXAMPLE_ETAG),
  'RateLimit-Limit': count('How many requests a window allows.', 300),
  'RateLimit-Remaining': count('How many requests are left in this window.', 299),
  'RateLimit-Reset': count('Seconds until the next window.', 60),
  'Retry-After': count('Seconds to wait before the next try.', 1),
  Allow: text('The methods that this address supports.', 'GET, HEAD, OPTIONS'),
} as const;

/** References to the headers that an answer of a route may carry. */
export function responseHeaders(status: number, { method, tag, limit, etag }: Route): Json {
  const isCommand = tag !== 'System' && method !== 'get';
  const applies: Record<keyof typeof answerHeaders, boolean> = {
    'X-Request-Id': true,
    'X-Event-Position': isCommand && status < 300,
    'X-Projection-Behind': isCommand && status < 300,
    'Idempotent-Replay': isCommand,
    ETag: etag === true && status < 400,
    'RateLimit-Limit': limit !== 'none',
    'RateLimit-Remaining': limit !== 'none',
    'RateLimit-Reset': limit !== 'none',
    'Retry-After': status === 429 || status === 503,
    Allow: status === 405,
  };
  const names = Object.entries(applies).flatMap(([name, yes]) => (yes ? [name] : []));
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}
