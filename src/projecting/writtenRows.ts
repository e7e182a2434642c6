import type { Appended } from '../core/appended.ts';
import type { Row, Table } from './tables/table.ts';

/** The rows of one table that a transaction has written and returned, by their key, and the positions of its events. */
export interface Written {
  readonly table: Table;
  readonly rows: ReadonlyMap<string, object>;
  readonly positions: ReadonlySet<bigint>;
}

/** Rows that projections of this process have just written, so that the answer to a command need not ask for them again. */
export interface WrittenRows {
  /**
   * The row with this key as it was at some moment after the read model had got the command's event. Undefined when this process did not
   * write it just now: then it must be read.
   */
  written<T extends Table>(table: T, key: string, appended: Pick<Appended, 'position'>): Row<T> | undefined;
  /** To be called once the rows are committed, before anybody hears of it. */
  keep(written: Written): void;
}

/** Answers ask within milliseconds. */
const MOST_TRANSACTIONS = 32;

export function createWrittenRows(): WrittenRows {
  const kept: Written[] = [];
  return {
    written<T extends Table>(table: T, key: string, { position }: Pick<Appended, 'position'>): Row<T> | undefined {
      let newest: object | undefined;
      // From the newest on.
      for (const each of kept) {
        if (each.table !== table) continue;
        newest ??= each.rows.get(key);
        if (each.positions.has(position)) return newest as Row<T> | undefined;
      }
      return undefined;
    },
    keep(written) {
      kept.unshift(written);
      if (kept.length > MOST_TRANSACTIONS) kept.pop();
    },
  };
}
