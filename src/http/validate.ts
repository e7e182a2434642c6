import type { z } from 'zod';
import { DomainError, type FieldMessage } from '../core/errors.ts';
import type { Route } from './route.ts';

export interface RequestParts {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

/** Checks all parts of a request against its route. @throws DomainError `validation_failed` with one message a field. */
export function validate(route: Pick<Route, 'params' | 'query' | 'body'>, parts: RequestParts): RequestParts {
  const problems = new Map<string, FieldMessage>();
  const checked = {
    params: check(route.params, parts.params, problems),
    query: check(route.query, parts.query, problems),
    body: check(route.body, parts.body, problems),
  };
  if (problems.size > 0) {
    throw new DomainError('invalid', 'validation_failed', 'Some fields are not valid.', { fields: [...problems.values()] });
  }
  return checked;
}

function check(schema: z.ZodType | undefined, value: unknown, problems: Map<string, FieldMessage>): unknown {
  if (schema === undefined) return undefined;
  const unstorable = pathOfUnstorableText(value);
  if (unstorable !== undefined) {
    problems.set(unstorable, { path: unstorable, message: 'Must be text without NUL characters or broken surrogate pairs.' });
    return undefined;
  }
  const result = schema.safeParse(value, { error: describe });
  if (result.success) return result.data;
  for (const { path, message } of result.error.issues) {
    const field = path.join('.');
    if (!problems.has(field)) problems.set(field, { path: field, message });
  }
  return undefined;
}

/** Says "is required" where zod would say "expected string, received undefined"; other messages are the schema's. */
function describe(issue: { code?: string; input?: unknown; path?: PropertyKey[] }): string | undefined {
  const missing = issue.code === 'invalid_type' && issue.input === undefined;
  return missing ? `${String(issue.path?.at(-1) ?? 'The body')} is required.` : undefined;
}

/**
 * PostgreSQL stores neither NUL nor a lone surrogate, so such text would fail late, in a projection. Walks with a
 * stack of its own: 100 KB of opening brackets are deeper than the call stack.
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
