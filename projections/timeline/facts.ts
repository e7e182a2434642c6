import { CompiledQuery, sql, type Kysely } from 'kysely';
import { definitions } from '../../src/projecting/tables/recordset.ts';
import type { NewRow } from '../../src/projecting/tables/table.ts';
import { upsert } from '../../src/projecting/tables/upsert.ts';
import { factsTable, ownerDays, videoDays, videoTotals, type Scope } from './tables.ts';

const scopes = [videoDays, ownerDays, videoTotals];
const { of_video_day: _1, of_owner_day: _2, of_video: _3, ...given } = factsTable.columns;

type FactRow = NewRow<typeof factsTable>;
/** What an event changes, without the totals after it. */
export type Fact = Omit<FactRow, Scope['running']>;

type Db = Pick<Kysely<unknown>, 'executeQuery' | 'getExecutor'>;

/**
 * Adds facts, in the order of the log, to the totals, and writes them with their running totals. The rows depend on neither
 * the order in which the facts of several streams come nor how they are cut into batches.
 */
export async function writeFacts(db: Db, facts: readonly Fact[]): Promise<void> {
  if (facts.length === 0) return;
  const lastBefore = await lockTimeline(db);
  const rows = facts.map((fact): FactRow => ({ ...fact, of_video_day: 0, of_owner_day: 0, of_video: 0 }));
  for (const scope of scopes) await addUp(db, scope, rows);
  await upsert(db, factsTable, rows);
  // Between partitions of Kafka there is no order: facts that come after later ones change the running totals of those.
  if (!facts.some(({ position }) => BigInt(position) < lastBefore)) return;
  const parameters = [JSON.stringify(facts)];
  for (const correct of corrections) await db.executeQuery(CompiledQuery.raw(correct, parameters));
}

/**
 * Lets one transaction at a time write facts: two that add to one total would both continue from the total that they
 * found. Returns the largest position that was written before.
 */
async function lockTimeline(db: Db): Promise<bigint> {
  await sql`select pg_advisory_xact_lock(hashtextextended('reelstream.timeline ' || current_schema(), 0))`.execute(db);
  // A statement of its own, because it must see what the transaction before it has committed.
  const { rows } = await sql<{ last: bigint | null }>`
    select max(last_position) as last from clock where level = 32`.execute(db);
  return rows[0]!.last ?? 0n;
}

type Key = Readonly<Record<string, unknown>>;

/** Adds the facts to one table of totals, and sets their running totals: right if they come after all earlier facts. */
async function addUp(db: Db, scope: Scope, rows: FactRow[]): Promise<void> {
  const textOf = (row: Key): string => scope.table.primaryKey.map((column) => row[column]).join(' ');
  const own = ownColumns(scope);
  const sums = new Map<string, Record<string, unknown> & { total: number }>();
  for (const row of rows) {
    const key = textOf(row);
    const sum = sums.get(key);
    if (sum === undefined) {
      const columns = Object.fromEntries(own.map((column) => [column, row[column as keyof FactRow]]));
      sums.set(key, { ...columns, first_position: row.position, last_position: row.position, total: row.by });
    } else {
      sum['last_position'] = row.position;
      sum.total += row.by;
    }
  }
  const statement = CompiledQuery.raw(additions.get(scope)!, [JSON.stringify([...sums.values()])]);
  const left = new Map(
    (await db.executeQuery<Key & { total: number }>(statement)).rows.map((row) => [textOf(row), row.total]),
  );
  for (const row of rows.toReversed()) {
    const key = textOf(row);
    row[scope.running] = left.get(key)!;
    left.set(key, row[scope.running] - row.by);
  }
}

const ownColumns = ({ table }: Scope): string[] => Object.keys(table.columns).filter((column) => column in given);
const list = (columns: readonly string[], of = ''): string => columns.map((column) => `${of}"${column}"`).join(', ');
const on = (columns: readonly string[], one: string, other: string): string =>
  columns.map((column) => `${one}."${column}" = ${other}."${column}"`).join(' and ');

/** For each table of totals, the statement that adds to it. Rows are written in the order of the key, as in `upsert`. */
const additions = new Map(
  scopes.map((scope) => {
    const { name, columns, primaryKey } = scope.table;
    return [
      scope,
      `insert into "${name}" (${list(Object.keys(columns))})
       select ${list(Object.keys(columns))} from json_to_recordset($1::json) as given(${definitions(columns)})
       order by ${list(primaryKey)}
       on conflict (${list(primaryKey)}) do update set
         first_position = least("${name}".first_position, excluded.first_position),
         last_position = greatest("${name}".last_position, excluded.last_position),
         total = "${name}".total + excluded.total
       returning ${list(primaryKey)}, total`,
    ];
  }),
);

const fromJson = `select * from json_to_recordset($1::json) as given(${definitions(given)})`;

/** Makes the running totals of one scope anew, from the first of the given facts on. */
const corrections = scopes.map((scope) => {
  const key = scope.table.primaryKey;
  return `
    with given as (${fromJson}),
    begun as (select ${list(key)}, min(position) as position from given group by ${list(key)}),
    base as (
      select begun.*, coalesce((select f.${scope.running} from facts f where ${on(key, 'f', 'begun')}
        and f.position < begun.position order by f.position desc limit 1), 0) as total from begun),
    anew as (
      select f.video_id, f.day, f.number, f.position,
        base.total + sum(f.by) over (partition by ${list(key, 'f.')} order by f.position) as total
      from base join facts f on ${on(key, 'f', 'base')} and f.position >= base.position)
    update facts f set ${scope.running} = anew.total from anew
    where ${on(factsTable.primaryKey, 'f', 'anew')} and f.${scope.running} <> anew.total`;
});
