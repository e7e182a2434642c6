import type pg from 'pg';
import type { EraseInPlace } from '../../core/eraseInPlace.ts';

/** A trigger lets nothing else change (`migrations/0014_erased_fields.ts`). */
const ERASE = `
  update reelstream.events e set data = left_of.data::json
  from unnest($1::bigint[], $2::uuid[], $3::text[]) left_of(position, id, data)
  where e.position = left_of.position and e.id = left_of.id and not e.data::jsonb ? 'erased'`;

export function createPostgresEraser(pool: pg.Pool): EraseInPlace {
  return async (events) => {
    if (events.length === 0) return;
    await pool.query(ERASE, [
      events.map(({ position }) => String(position)),
      events.map(({ id }) => id),
      events.map(({ data }) => JSON.stringify(data)),
    ]);
  };
}
