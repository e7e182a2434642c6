import type { Kysely } from 'kysely';
import { composed, merge, type Changes } from './changes.ts';
import type { Table } from './table.ts';

type Row = Record<string, unknown>;

interface Gathered {
  row: Row;
  changes: Changes;
  /** Whether `row` is a copy, which may be changed. */
  copied: boolean;
}

interface GatheredTable {
  readonly table: Table;
  readonly mentioned: RegExp;
  readonly byKey: Map<string, Gathered>;
  /** The changes that do both, by the first and the second. */
  readonly both: Map<Changes, Map<Changes, Changes | undefined>>;
}

export type WriteRows = (table: Table, rows: readonly object[], changes: Changes) => Promise<void>;

/**
 * Rows of upserts that are not written yet. Those with the same key are merged, so that writing them has the effect of all
 * the upserts, one after the other (`changes.ts`).
 */
export interface GatheredRows {
  /** How many rows there are, of all tables. */
  readonly count: number;
  add(table: Table, rows: readonly object[], changes: Changes): Promise<void>;
  /** Writes the rows of the tables that the statement mentions. */
  writeMentioned(sql: string): Promise<void>;
  /** Writes all rows, table by table in the order of their names, so that two writers cannot deadlock. */
  writeAll(): Promise<void>;
}

export function createGatheredRows(write: WriteRows): GatheredRows {
  const tables = new Map<string, GatheredTable>();

  function gatheredOf(table: Table): GatheredTable {
    const { name } = table;
    let gathered = tables.get(name);
    if (gathered === undefined)
      tables.set(
        name,
        (gathered = { table, mentioned: new RegExp(`\\b${name}\\b`), byKey: new Map(), both: new Map() }),
      );
    return gathered;
  }

  async function writeOut({ table, byKey }: GatheredTable): Promise<void> {
    const byChanges = Map.groupBy(byKey.values(), ({ changes }) => changes);
    byKey.clear();
    for (const [changes, some] of byChanges)
      await write(
        table,
        some.map(({ row }) => row),
        changes,
      );
  }

  return {
    get count() {
      let count = 0;
      for (const { byKey } of tables.values()) count += byKey.size;
      return count;
    },
    async add(table, rows, changes) {
      const gathered = gatheredOf(table);
      const { byKey } = gathered;
      for (const row of rows as readonly Row[]) {
        const key = keyOf(table, row);
        const present = byKey.get(key);
        if (present === undefined) byKey.set(key, { row, changes, copied: false });
        else if (!mergeInto(gathered, present, row, changes)) {
          await writeOut(gathered);
          byKey.set(key, { row, changes, copied: false });
        }
      }
    },
    async writeMentioned(sql) {
      for (const gathered of tables.values())
        if (gathered.byKey.size > 0 && gathered.mentioned.test(sql)) await writeOut(gathered);
    },
    async writeAll() {
      const inOrder = [...tables.values()].toSorted((a, b) => (a.table.name < b.table.name ? -1 : 1));
      for (const gathered of inOrder) if (gathered.byKey.size > 0) await writeOut(gathered);
    },
  };
}

function keyOf({ primaryKey }: Table, row: Row): string {
  let key = '';
  // PostgreSQL has no text with this character.
  for (const column of primaryKey) key += `${String(row[column])}\0`;
  return key;
}

/** Returns false when the table must have the present row first. */
function mergeInto({ table, both: known }: GatheredTable, present: Gathered, row: Row, changes: Changes): boolean {
  let bySecond = known.get(present.changes);
  if (bySecond === undefined) known.set(present.changes, (bySecond = new Map()));
  if (!bySecond.has(changes)) bySecond.set(changes, composed(table, present.changes, changes));
  const both = bySecond.get(changes);
  if (both === undefined) return false;
  if (!present.copied) {
    present.row = { ...present.row };
    present.copied = true;
  }
  if (merge(present.row, row, changes)) present.changes = both;
  return true;
}

const gatheredBy = new WeakMap<object, GatheredRows>();

/** The rows that are gathered for this database, if `upsert` gathers them. */
export function gatheredRowsOf(db: object): GatheredRows | undefined {
  return gatheredBy.get(db);
}

/** From now on, `upsert` adds the rows for this database to `gathered`. */
export function gatherFor(db: Pick<Kysely<never>, 'executeQuery'>, gathered: GatheredRows): void {
  gatheredBy.set(db, gathered);
}
