import { z } from 'zod';

export type Json = Record<string, unknown>;

/** Formats that need no pattern: zod's pattern for them is long and adds nothing for a reader. */
const PLAIN_FORMATS: ReadonlySet<unknown> = new Set(['uuid', 'date', 'date-time']);

/** Converts schemas to JSON Schema. Schemas with an id are kept once, in `all`, and referred to. */
export class SchemaCollection {
  readonly all: Json = {};

  of(schema: z.ZodType, io: 'input' | 'output'): Json {
    const {
      $schema: _,
      $defs,
      ...rest
    } = z.toJSONSchema(schema, {
      io,
      unrepresentable: 'any',
      reused: 'inline',
      override: ({ jsonSchema }) => {
        if (PLAIN_FORMATS.has(jsonSchema.format)) delete jsonSchema.pattern;
      },
    }) as Json;
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
    Object.entries(node).map(([key, value]) => [
      key,
      key === '$ref' && typeof value === 'string'
        ? value.replace('#/$defs/', '#/components/schemas/')
        : relocated(value),
    ]),
  );
}
