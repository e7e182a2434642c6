import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import { startTestApp, type TestApp } from '../../../tests/support/httpApp.ts';
import { route } from '../route.ts';

/** One field for each rule that a schema can have. */
const body = z.object({
  required: z.string(),
  choice: z.enum(['one', 'two', 'three']),
  text: z.string(),
  number: z.number(),
  whole: z.int(),
  truth: z.boolean(),
  list: z.array(z.string()),
  object: z.object({ inner: z.string() }),
  exactText: z.string().length(2),
  longText: z.string().min(1),
  shortText: z.string().max(3),
  fewElements: z.array(z.string()).max(1),
  low: z.number().min(1),
  positive: z.number().positive(),
  high: z.number().max(5),
  negative: z.number().negative(),
  even: z.number().multipleOf(2),
  email: z.email(),
  uuid: z.uuid(),
  day: z.iso.date(),
  time: z.iso.datetime(),
  url: z.url(),
  pattern: z.string().regex(/^a+$/),
  begins: z.string().startsWith('a'),
  ends: z.string().endsWith('z'),
  holds: z.string().includes('m'),
  literal: z.literal('yes'),
  strict: z.strictObject({}),
  union: z.union([z.string(), z.number()]),
  forms: z.union([z.object({ a: z.string() }), z.object({ b: z.string() })]),
  kind: z.discriminatedUnion('type', [z.object({ type: z.literal('a') }), z.object({ type: z.literal('b') })]),
  keys: z.record(z.string().min(2), z.string()),
  custom: z.string().refine(() => false),
});

const sent = {
  choice: 'four',
  text: 1,
  number: '1',
  whole: 1.5,
  truth: 'yes',
  list: {},
  object: { inner: 7 },
  exactText: 'a',
  longText: '',
  shortText: 'abcd',
  fewElements: ['a', 'b'],
  low: 0,
  positive: 0,
  high: 6,
  negative: 0,
  even: 3,
  email: 'no',
  uuid: 'no',
  day: 'no',
  time: 'no',
  url: 'no',
  pattern: 'b',
  begins: 'b',
  ends: 'b',
  holds: 'b',
  literal: 'no',
  strict: { extra: 1 },
  union: true,
  forms: { c: 1 },
  kind: { type: 'c' },
  keys: { a: 'x' },
  custom: 'x',
};

const said = [
  'required is required',
  'choice must be "one", "two" or "three"',
  'text must be text',
  'number must be a number',
  'whole must be a whole number',
  'truth must be true or false',
  'list must be a list',
  'object.inner must be text',
  'exactText must have exactly 2 characters',
  'longText must have at least 1 character',
  'shortText must have at most 3 characters',
  'fewElements must have at most 1 element',
  'low must be at least 1',
  'positive must be more than 0',
  'high must be at most 5',
  'negative must be less than 0',
  'even must be a multiple of 2',
  'email must be an e-mail address like ada@example.org',
  'uuid must be a UUID like 01980a3c-5b7e-7c41-9d2a-6f1e0b8c4d25',
  'day must be a day like 2025-01-31',
  'time must be a time like 2025-01-31T12:00:00Z',
  'url must be a URL',
  'pattern must match /^a+$/',
  'begins must begin with "a"',
  'ends must end with "z"',
  'holds must contain "m"',
  'literal must be "yes"',
  'strict must not have "extra"',
  'union must be text or a number',
  'forms must have one of the forms that /docs lists',
  'kind.type must be "a" or "b"',
  'keys.a must not have such a key',
  'custom must be valid',
];

let app: TestApp;
beforeAll(async () => {
  const handle = (): Promise<undefined> => Promise.reject(new Error('nothing valid is sent'));
  const common = { tag: 'System', auth: 'none', summary: '', description: '', responses: {}, handle } as const;
  app = await startTestApp({
    routes: [
      route({ ...common, method: 'post', path: '/rules', operationId: 'rules', body }),
      route({
        ...common,
        method: 'get',
        path: '/rules/:id',
        operationId: 'query',
        params: z.object({ id: z.uuid() }),
        query: z.object({ size: z.coerce.number().max(9) }),
      }),
    ],
  });
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
});

interface Refusal {
  readonly message: string;
  readonly errorMessages: { path: string; message: string }[];
}

async function refusal(path: string, json?: unknown): Promise<Refusal> {
  const response = await fetch(
    app.url + path,
    json === undefined
      ? {}
      : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(json) },
  );
  expect(response.status).toBe(400);
  return (await response.json()) as Refusal;
}

test('every rule has a message in plain words, in the order of the schema; `message` is the first of them', async () => {
  const { message, errorMessages } = await refusal('/rules', sent);
  expect(errorMessages.map((each) => each.message)).toEqual(said);
  expect(message).toBe('required is required');
  for (const each of errorMessages) expect(each.message.startsWith(`${each.path} `)).toBe(true);
});

test('parameters of path and query are fields like others', async () => {
  const { message, errorMessages } = await refusal('/rules/7?size=10');
  expect([message, errorMessages.map(({ path }) => path)]).toEqual([
    'id must be a UUID like 01980a3c-5b7e-7c41-9d2a-6f1e0b8c4d25',
    ['id', 'size'],
  ]);
});

test.each([7, 'text', [], null])('the message about the body %j names the whole body', async (json) => {
  expect(await refusal('/rules', json)).toMatchObject({
    message: 'The body must be an object',
    errorMessages: [{ path: '', message: 'The body must be an object' }],
  });
});
