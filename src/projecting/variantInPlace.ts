import { sql, type RawBuilder } from 'kysely';
import type { ProjectionName } from './readYourWrites.ts';

/**
 * The variant of the rows in place (`Projection.variant`), to select beside them: of one snapshot, so that it is the
 * variant of the rows that the statement reads. `''` for rows of an older program, which has no variants.
 */
export function variantInPlace({ name }: ProjectionName): RawBuilder<string> {
  return sql<string>`(select coalesce(to_jsonb(c) ->> 'variant', '') from ${sql.id(name, 'checkpoints')} c limit 1)`;
}
