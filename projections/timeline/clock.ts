import { CompiledQuery, type Kysely } from 'kysely';
import type { RecordedEvent } from '../../src/core/event.ts';
import { definitions } from '../../src/projecting/tables/recordset.ts';
import type { NewRow } from '../../src/projecting/tables/table.ts';
import { clockLevels, clockTable } from './tables.ts';

/** Records when the events were recorded. Later times and positions win, so the order of the batches has no effect. */
export async function writeClock(db: Pick<Kysely<unknown>, 'executeQuery'>, events: readonly RecordedEvent[]) {
  const ranges = new Map<string, NewRow<typeof clockTable> & { latest: Date }>();
  for (const { position, time } of events) {
    for (const level of clockLevels) {
      const range = position >> BigInt(level);
      const key = `${level} ${range}`;
      const row = ranges.get(key);
      if (row === undefined) ranges.set(key, { level, range: `${range}`, last_position: `${position}`, latest: time });
      else {
        if (position > BigInt(row.last_position)) row.last_position = `${position}`;
        if (time > row.latest) row.latest = time;
      }
    }
  }
  if (ranges.size > 0) await db.executeQuery(CompiledQuery.raw(statement, [JSON.stringify([...ranges.values()])]));
}

const statement = `
  insert into clock (level, range, last_position, latest)
  select level, range, last_position, latest from json_to_recordset($1::json) as given(${definitions(clockTable.columns)})
  order by level, range
  on conflict (level, range) do update set
    last_position = greatest(clock.last_position, excluded.last_position),
    latest = greatest(clock.latest, excluded.latest)`;
