import pg from 'pg';
import { applyEvents, eventsOf, moveOf, type BatchesApplied, type Part } from './applyBatch.ts';
import { exactMove } from './checkpoints.ts';
import type { ConsumerTransaction } from './consumer.ts';
import type { Statement } from './statement.ts';
import { createGatheredRows } from './tables/gatheredRows.ts';
import { gatheringTransaction } from './tables/gatheringTransaction.ts';
import type { Table } from './tables/table.ts';
import { upsertStatement } from './tables/upsert.ts';
import { beginning, requireCommitted, searchPath, withRollback } from './transaction.ts';
import type { Written, WrittenRows } from './writtenRows.ts';

/** Applies batches of several consumers in one transaction that is sent at once. */
export interface OneTrip {
  /**
   * Applies all parts, or returns undefined and has applied none (unless the connection was lost while they were committed). Then a
   * consumer reads before it writes, or writes personal data; or a checkpoint is not exactly where its batch begins, is locked or has
   * parked events; or something failed. The caller applies them step by step, which finds out.
   */
  apply(parts: readonly Part[]): Promise<readonly BatchesApplied[] | undefined>;
}

/**
 * The whole transaction is one text of several statements. PostgreSQL runs none of them after one that fails, and so no row
 * is written unless the transaction has begun and the checkpoints have moved. It answers once, when all is done.
 */
export function createOneTrip(pool: pg.Pool, written: Pick<WrittenRows, 'keep'>): OneTrip {
  const rowsOf = createRowsOf();

  return {
    async apply(parts) {
      try {
        const moves = await Promise.all(parts.map(moveOf));
        const rows = await Promise.all(parts.map(rowsOf));
        await withRollback(pool, async (client) => {
          const prepared = preparedOf(client);
          const { schema } = parts[0]!.options;
          const text = [beginning({ schema }), ...prepared.execute('', exactMove(moves))];
          const returning: Returning[] = [];
          for (const [index, part] of parts.entries()) {
            const { schema } = part.options;
            if (rows[index]!.length > 0) text.push(searchPath(schema));
            for (const { returned, ...statement } of rows[index]!) {
              text.push(...prepared.execute(schema, statement));
              if (returned !== undefined) returning.push({ table: returned, part, at: text.length - 1 });
            }
          }
          text.push('commit');
          const results = (await client.query(text.join(';\n'))) as unknown as pg.QueryResult<Row>[];
          requireCommitted(results.at(-1)!);
          prepared.keep();
          // The first text is several statements.
          const moreResults = results.length - text.length;
          for (const { at, ...returned } of returning) written.keep(writtenOf(returned, results[at + moreResults]!));
        });
        return parts.map(({ batches }) => ({
          applied: batches.map(({ partition, position, events }) => ({
            partition,
            position,
            changed: events.length > 0,
          })),
          parked: 0,
        }));
      } catch {
        return undefined;
      }
    },
  };
}

type Row = Readonly<Record<string, unknown>>;

/** A statement of a part that returns the rows that it writes. */
interface Returning {
  readonly table: Table;
  readonly part: Part;
  /** Where it is among the texts of the transaction. */
  readonly at: number;
}

function writtenOf({ table, part }: Omit<Returning, 'at'>, { rows }: pg.QueryResult<Row>): Written {
  const [key] = table.primaryKey as [string];
  return {
    table,
    rows: new Map(rows.map((row) => [String(row[key]), row])),
    positions: new Set(part.batches.flatMap(({ events }) => events.map(({ position }) => position))),
  };
}

interface WriteStatement extends Statement {
  /** The table whose rows it returns. */
  readonly returned?: Table;
}

/** Returns a function that tells the statements which write what a part changes. It throws if the consumer asks for an answer. */
function createRowsOf(): (part: Part) => Promise<readonly WriteStatement[]> {
  const gatherings = new Map<string, Gathering>();
  return async ({ options, batches }) => {
    const { name } = options.consumer;
    const gathering = gatherings.get(name) ?? createGathering();
    // After an error, it may have rows.
    gatherings.delete(name);
    await applyEvents(options, eventsOf(batches), false, gathering.transaction);
    const statements = await gathering.take();
    gatherings.set(name, gathering);
    return statements;
  };
}

interface Gathering {
  readonly transaction: ConsumerTransaction;
  take(): Promise<readonly WriteStatement[]>;
}

function createGathering(): Gathering {
  let statements: WriteStatement[] = [];
  const refuse = (reason: string): Promise<never> => Promise.reject(new Error(`this batch ${reason}`));
  const rows = createGatheredRows((table, ...upsert) => {
    // PostgreSQL may write a statement that fails to its log, with the values in its text.
    if (Object.values(table.columns).some(({ personal }) => personal)) return refuse('has personal data');
    const statement = upsertStatement(table, ...upsert);
    statements.push(
      table.returned
        ? { ...statement, text: `${statement.text} returning "${table.name}".*`, returned: table }
        : statement,
    );
    return Promise.resolve();
  });
  return {
    transaction: gatheringTransaction(rows, () => refuse('cannot be applied without reading')),
    async take() {
      await rows.writeAll();
      const taken = statements;
      statements = [];
      return taken;
    },
  };
}

/** The statements that are prepared on a connection. */
interface Prepared {
  /** The statement that runs it; the first time, after the one that prepares it. */
  execute(schema: string, statement: Statement): string[];
  /** To be called when the SQL has been run. Otherwise the statements are prepared again, under new names. */
  keep(): void;
}

const preparedBy = new WeakMap<pg.ClientBase, Map<string, string>>();
let statements = 0;

function preparedOf(client: pg.ClientBase): Prepared {
  const names = preparedBy.get(client) ?? new Map<string, string>();
  preparedBy.set(client, names);
  const added = new Map<string, string>();
  return {
    execute(schema, { text, values }) {
      const key = `${schema} ${text}`;
      const known = names.get(key) ?? added.get(key);
      const name = known ?? `in one trip ${++statements}`;
      const run = `execute "${name}"(${values.map(literal).join(', ')})`;
      if (known !== undefined) return [run];
      added.set(key, name);
      return [`prepare "${name}" as ${text}`, run];
    },
    keep() {
      for (const [key, name] of added) names.set(key, name);
    },
  };
}

function literal(value: unknown): string {
  if (value === null) return 'null';
  return pg.escapeLiteral(Array.isArray(value) ? `{${value.join()}}` : String(value));
}
