import { CompiledQuery, sql, type Kysely } from 'kysely';
import { definitions } from '../../src/projecting/tables/recordset.ts';
import type { NewRow } from '../../src/projecting/tables/table.ts';
import { factsTable, ownerDays, videoDays, videoTotals, type Scope } from './tables.ts';

const scopes = [videoDays, ownerDays, videoTotals];

const { of_video_day: _1, of_owner_day: _2, of_video: _3, ...given } = factsTable.columns;

/** What an event changes, without the totals after it. */
export type Fact = NewRow<typeof given>;

type Db = Pick<Kysely<unknown>, 'executeQuery' | 'getExecutor'>;

/**
 * Adds facts to the totals, and writes them with their running totals. The rows depend on neither the order in which
 * facts come nor how they are cut into batches.
 */
export async function writeFacts(db: Db, facts: readonly Fact[]): Promise<void> {
  if (facts.length === 0) return;
  const lastBefore = await lockTimeline(db);
  const parameters = [JSON.stringify(facts)];
  await db.executeQuery(CompiledQuery.raw(addFacts, parameters));
  // Between partitions of Kafka there is no order: facts that come after later ones change the running totals of those.
  if (!facts.some(({ position }) => BigInt(position) < lastBefore)) return;
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

const keyOf = ({ table }: Scope): readonly string[] => table.primaryKey;
const list = (columns: readonly string[], of = ''): string => columns.map((column) => `${of}"${column}"`).join(', ');
const on = (columns: readonly string[], one: string, other: string): string =>
  columns.map((column) => `${one}."${column}" = ${other}."${column}"`).join(' and ');

const fromJson = `select * from json_to_recordset($1::json) as given(${definitions(given)})`;

/** Adds the facts to one table of totals. Returns the new totals. */
function addTo(scope: Scope): string {
  const { name, columns, primaryKey } = scope.table;
  const own = Object.keys(columns).filter((column) => column in given);
  return `${name} as (
    insert into "${name}" (${list(own)}, first_position, last_position, total)
    select ${list(own)}, min(position), max(position), sum(by) from given group by ${list(own)} order by ${list(primaryKey)}
    on conflict (${list(primaryKey)}) do update set
      first_position = least("${name}".first_position, excluded.first_position),
      last_position = greatest("${name}".last_position, excluded.last_position),
      total = "${name}".total + excluded.total
    returning ${list(primaryKey)}, total)`;
}

/** The total after a fact: the total after the whole batch, less the facts that follow in it. */
function runningIn(scope: Scope): string {
  return `"${scope.table.name}".total - coalesce(sum(given.by) over (
    partition by ${list(keyOf(scope), 'given.')} order by given.position rows between 1 following and unbounded following), 0)`;
}

/** One statement, with one JSON parameter, for the facts and all totals. Right if the facts come after all earlier ones. */
const addFacts = `
  with given as materialized (${fromJson}), ${scopes.map(addTo).join(', ')}
  insert into facts (${list(Object.keys(given))}, ${list(scopes.map(({ running }) => running))})
  select ${list(Object.keys(given), 'given.')}, ${scopes.map(runningIn).join(', ')}
  from given ${scopes.map((scope) => `join "${scope.table.name}" on ${on(keyOf(scope), 'given', `"${scope.table.name}"`)}`).join(' ')}`;

/** Makes the running totals of one scope anew, from the first of the given facts on. */
const corrections = scopes.map((scope) => {
  const key = keyOf(scope);
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
