import type { z } from 'zod';

type Issue = z.core.$ZodRawIssue;

/** Types in plain words. */
const TYPES: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  null: 'null',
  array: 'a list',
  tuple: 'a list',
  object: 'an object',
  record: 'an object',
  date: 'a date',
};

/** Formats in plain words. */
const FORMATS: Record<string, string> = {
  email: 'an e-mail address like ada@example.org',
  uuid: 'a UUID like 01980a3c-5b7e-7c41-9d2a-6f1e0b8c4d25',
  guid: 'a UUID like 01980a3c-5b7e-7c41-9d2a-6f1e0b8c4d25',
  url: 'a URL',
  date: 'a day like 2025-01-31',
  datetime: 'a time like 2025-01-31T12:00:00Z',
  json_string: 'JSON text',
};

/**
 * Says what is wrong with a field, in words that follow its name: "must be at least 1". It is the error map of every
 * request, so that no text of zod reaches a client. A message in a schema takes precedence and has the same form.
 */
export function fieldMessage(issue: Issue): string {
  if (issue.input === undefined && MISSING.has(issue.code)) return 'is required';
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${typeName(issue.expected)}`;
    case 'invalid_value':
      return `must be ${oneOf(issue.values.map((value) => JSON.stringify(value)))}`;
    case 'invalid_format':
      return formatMessage(issue);
    case 'too_small':
      return limitMessage(
        issue.origin,
        issue.minimum,
        issue.exact === true ? 'exactly' : issue.inclusive === false ? 'more than' : 'at least',
      );
    case 'too_big':
      return limitMessage(
        issue.origin,
        issue.maximum,
        issue.exact === true ? 'exactly' : issue.inclusive === false ? 'less than' : 'at most',
      );
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'unrecognized_keys':
      return `must not have ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}`;
    case 'invalid_union':
      return unionMessage(issue);
    case 'invalid_key':
      return 'must not have such a key';
    case 'invalid_element':
      return 'must not have such an element';
    case 'custom':
      return 'must be valid';
  }
}

const MISSING: ReadonlySet<string> = new Set<Issue['code']>(['invalid_type', 'invalid_value', 'invalid_union']);

function typeName(expected: string): string {
  return TYPES[expected] ?? `of the type ${expected}`;
}

function formatMessage({ format, ...issue }: Extract<Issue, { code: 'invalid_format' }>): string {
  switch (format) {
    case 'regex':
      return `must match ${String(issue.pattern)}`;
    case 'starts_with':
      return `must begin with ${JSON.stringify(issue['prefix'])}`;
    case 'ends_with':
      return `must end with ${JSON.stringify(issue['suffix'])}`;
    case 'includes':
      return `must contain ${JSON.stringify(issue['includes'])}`;
    default:
      return `must be ${FORMATS[format] ?? `of the form ${format}`}`;
  }
}

function limitMessage(origin: string, limit: number | bigint, comparison: string): string {
  const count = (unit: string): string => `must have ${comparison} ${limit} ${unit}${Number(limit) === 1 ? '' : 's'}`;
  if (origin === 'string') return count('character');
  if (origin === 'array' || origin === 'set' || origin === 'map') return count('element');
  if (origin === 'file') return count('byte');
  return `must be ${comparison} ${limit}`;
}

/** Names the alternatives if each of them is a type or a value of the field itself. */
function unionMessage({ errors, options }: Extract<Issue, { code: 'invalid_union' }>): string {
  if (Array.isArray(options)) return `must be ${oneOf(options.map((value) => JSON.stringify(value)))}`;
  const alternatives = errors.map(([first]) => {
    if (first === undefined || first.path.length > 0) return undefined;
    if (first.code === 'invalid_type') return typeName(first.expected);
    return first.code === 'invalid_value' ? oneOf(first.values.map((value) => JSON.stringify(value))) : undefined;
  });
  const named = alternatives.filter((name) => name !== undefined);
  return named.length === alternatives.length && named.length > 0
    ? `must be ${oneOf([...new Set(named)])}`
    : 'must have one of the forms that /docs lists';
}

/** "a", "a or b", "a, b or c" */
function oneOf(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}
