import type { Table } from './table.ts';

/** What happens to a row whose key the table has already. Columns that no option names take the new value. */
export interface OnConflict<Column extends string = string> {
  /** Columns to which the new value is added. */
  readonly add?: readonly Column[];
  /** Columns that keep the value they have. */
  readonly keep?: readonly Column[];
  /** Columns that take the new value if it is greater than the one they have. True is greater than false. */
  readonly greatest?: readonly Column[];
  /** The row changes only if its new value in this column is greater than the present one. */
  readonly onlyIfGreater?: Column;
  /** False: rows whose key the table does not have are left out. */
  readonly insert?: boolean;
}

export type Change = 'set' | 'add' | 'keep' | 'greatest';

/** What an upsert does to the columns outside of the key. Equal changes of a table are one object. */
export interface Changes {
  readonly of: readonly (readonly [column: string, change: Change])[];
  readonly onlyIfGreater: string | undefined;
  readonly insert: boolean;
}

const known = new WeakMap<Table, Map<string, Changes>>();

export function changesOf(
  table: Table,
  { add = [], keep = [], greatest = [], onlyIfGreater, insert = true }: OnConflict,
): Changes {
  const changeOf = (column: string): Change =>
    add.includes(column) ? 'add' : keep.includes(column) ? 'keep' : greatest.includes(column) ? 'greatest' : 'set';
  const columns = Object.keys(table.columns).filter((column) => !table.primaryKey.includes(column));
  return interned(table, { of: columns.map((column) => [column, changeOf(column)]), onlyIfGreater, insert });
}

function interned(table: Table, changes: Changes): Changes {
  const ofTable = known.get(table) ?? new Map<string, Changes>();
  known.set(table, ofTable);
  const key = JSON.stringify(changes);
  const same = ofTable.get(key) ?? changes;
  ofTable.set(key, same);
  return same;
}

/**
 * The changes that do at once what `first` and then `second` do to a row, whether the table has the row or not. Undefined
 * when no upsert does, or when JavaScript cannot add or compare the values as PostgreSQL does.
 */
export function composed(table: Table, first: Changes, second: Changes): Changes | undefined {
  const { onlyIfGreater, insert } = first;
  if (second.onlyIfGreater !== onlyIfGreater) return undefined;
  // Where the table has no row, the first one has no effect, and the second one may have.
  if (!insert && second.insert) return undefined;
  const of: [string, Change][] = [];
  for (const [index, [column, change]] of second.of.entries()) {
    const before = first.of[index]![1];
    const both = composedChange(before, change);
    if (both === undefined || !canMerge(table, column, change)) return undefined;
    // The row that is in the table may be newer than the first one and older than the second one.
    if (onlyIfGreater !== undefined && change !== 'set' && before !== 'keep') return undefined;
    of.push([column, both]);
  }
  if (onlyIfGreater !== undefined) {
    const { type, nullable } = table.columns[onlyIfGreater]!;
    if (nullable || !isInteger(type)) return undefined;
  }
  return interned(table, { of, onlyIfGreater, insert });
}

function composedChange(first: Change, second: Change): Change | undefined {
  if (second === 'set') return 'set';
  if (second === 'keep' || first === second || first === 'set') return first;
  return undefined;
}

function canMerge(table: Table, column: string, change: Change): boolean {
  const { type } = table.columns[column]!;
  if (change === 'add') return isInteger(type);
  if (change === 'greatest') return isInteger(type) || type === 'boolean' || type === 'timestamptz';
  return true;
}

const isInteger = (type: unknown): boolean => type === 'integer' || type === 'int8';

/** Changes `row` as the upsert of `next` would. Returns whether it did. */
export function merge(
  row: Record<string, unknown>,
  next: Readonly<Record<string, unknown>>,
  changes: Changes,
): boolean {
  const guard = changes.onlyIfGreater;
  if (guard !== undefined && !isGreater(next[guard], row[guard])) return false;
  for (const [column, change] of changes.of) {
    const value = next[column];
    if (change === 'set') row[column] = value;
    else if (change === 'add') row[column] = sum(row[column], value);
    else if (change === 'greatest' && (isNull(row[column]) || isGreater(value, row[column]))) row[column] = value;
  }
  return true;
}

/** Of two integers, of which large ones are strings. */
function sum(a: unknown, b: unknown): unknown {
  if (isNull(a) || isNull(b)) return null;
  const result = typeof a === 'number' && typeof b === 'number' ? a + b : NaN;
  return Number.isSafeInteger(result) ? result : String(BigInt(a as string) + BigInt(b as string));
}

/** Of two integers, two booleans or two moments. False if one is null. */
function isGreater(a: unknown, b: unknown): boolean {
  if (isNull(a) || isNull(b)) return false;
  if (typeof a === 'number' && typeof b === 'number') return a > b;
  if (typeof a === 'boolean' && typeof b === 'boolean') return a && !b;
  return comparable(a) > comparable(b);
}

function comparable(value: unknown): bigint {
  if (value instanceof Date) return BigInt(value.getTime());
  const text = String(value);
  return /^-?\d+$/.test(text) ? BigInt(text) : BigInt(Date.parse(text));
}

const isNull = (value: unknown): boolean => value === null || value === undefined;
