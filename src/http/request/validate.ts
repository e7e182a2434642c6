import { LRUCache } from 'lru-cache';
import type { z } from 'zod';
import { validationFailed, type FieldMessage } from '../../core/errors.ts';
import { fieldMessage } from './fieldMessages.ts';
import type { Route } from '../route.ts';

export interface RequestParts {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

/**
 * Checks all parts of a request against its route.
 * @throws DomainError `validation_failed` with one message per field, in the order of the schema
 */
export function validate(route: Pick<Route, 'params' | 'query' | 'body'>, parts: RequestParts): RequestParts {
  const problems = new Map<string, FieldMessage>();
  const checked = {
    params: check('address', route.params, parts.params, problems),
    query: check('query', route.query, parts.query, problems),
    body: check('body', route.body, parts.body, problems),
  };
  if (problems.size > 0) throw validationFailed([...problems.values()]);
  return checked;
}

/** How many URLs of a route are remembered, and how long they may be (characters). */
const MOST_URLS = 1_000;
const LONGEST_URL = 200;

/**
 * As `validate`, for a route without a body, whose parts depend on the URL alone: a URL that has passed is not checked
 * again. `read` takes the URL apart. Requests with the same URL share what it returns, so nobody may change it.
 */
export function createUrlCheck(
  route: Pick<Route, 'params' | 'query'>,
): (url: string, read: () => RequestParts) => RequestParts {
  const passed = new LRUCache<string, RequestParts>({ max: MOST_URLS });
  return (url, read) => {
    const known = passed.get(url);
    if (known !== undefined) return known;
    const parts = validate(route, read());
    if (url.length <= LONGEST_URL) passed.set(url, parts);
    return parts;
  };
}

function check(
  part: string,
  schema: z.ZodType | undefined,
  value: unknown,
  problems: Map<string, FieldMessage>,
): unknown {
  if (schema === undefined) return undefined;
  const report = (field: string, problem: string): void => {
    if (!problems.has(field))
      problems.set(field, { path: field, message: `${field === '' ? `The ${part}` : field} ${problem}` });
  };
  const result = schema.safeParse(value, { error: fieldMessage });
  if (!result.success) {
    for (const { path, message } of result.error.issues) report(path.join('.'), message);
    return undefined;
  }
  const unstorable = pathOfUnstorableText(result.data);
  if (unstorable !== undefined) report(unstorable, 'must be text without NUL characters or broken surrogate pairs');
  return result.data;
}

/**
 * PostgreSQL stores neither NUL nor an unpaired surrogate, so such text would fail late, in a projection. Not
 * recursive: 100 KB of opening brackets would overflow the call stack.
 */
function pathOfUnstorableText(value: unknown): string | undefined {
  const open: [path: string, value: unknown][] = [['', value]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [path, found] = next;
    if (typeof found === 'string') {
      if (found.includes('\0') || !found.isWellFormed()) return path;
    } else if (typeof found === 'object' && found !== null) {
      for (const [key, inner] of Object.entries(found)) open.push([path === '' ? key : `${path}.${key}`, inner]);
    }
  }
  return undefined;
}
