import type { Route } from '../route.ts';

/** The routes at one path, and the parameters in it. */
export interface FoundPath {
  readonly routes: readonly Route[];
  readonly params: Readonly<Record<string, string>>;
}

/**
 * Finds the routes of a path that is written as it is declared: in the same case, without escapes, empty segments or a
 * slash at its end. Undefined: the path may still be another spelling of a declared one.
 */
export type FindPath = (path: string) => FoundPath | undefined;

interface Segment {
  readonly literals: Map<string, Segment>;
  parameter?: Segment;
  routes?: readonly Route[];
  /** Of the parameters on the way to `routes`. */
  names: readonly string[];
}

/** Text of which each character stands for itself. */
const PLAIN = /^[\w.~-]+$/;

/** Literal segments win over parameters, as they do in `mountRoutes`. */
export function createPathTable(routes: readonly Route[]): FindPath {
  const root = emptySegment();
  for (const [path, here] of Map.groupBy(routes, ({ path }) => path)) {
    const texts = path.split('/').slice(1);
    const last = texts.reduce(added, root);
    last.routes = here;
    last.names = texts.filter(isParameter).map((text) => text.slice(1));
  }

  return (path) => {
    if (!path.startsWith('/')) return undefined;
    let segment: Segment | undefined = root;
    const values: string[] = [];
    for (let start = 1; start <= path.length;) {
      const slash = path.indexOf('/', start);
      const end = slash === -1 ? path.length : slash;
      const text = path.slice(start, end);
      const literal: Segment | undefined = segment.literals.get(text);
      if (literal === undefined) {
        if (segment.parameter === undefined || !PLAIN.test(text)) return undefined;
        values.push(text);
      }
      segment = literal ?? segment.parameter!;
      start = end + 1;
    }
    if (segment.routes === undefined) return undefined;
    const params: Record<string, string> = {};
    for (const [index, name] of segment.names.entries()) params[name] = values[index]!;
    return { routes: segment.routes, params };
  };
}

function emptySegment(): Segment {
  return { literals: new Map(), names: [] };
}

function isParameter(text: string): boolean {
  return text.startsWith(':');
}

function added(segment: Segment, text: string): Segment {
  if (isParameter(text)) return (segment.parameter ??= emptySegment());
  const next = segment.literals.get(text) ?? emptySegment();
  segment.literals.set(text, next);
  return next;
}
