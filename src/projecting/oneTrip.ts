import pg from 'pg';
import { applyEvents, eventsOf, moveOf, type BatchesApplied, type Part } from './applyBatch.ts';
import { exactMove } from './checkpoints.ts';
import type { ConsumerTransaction } from './consumer.ts';
import type { Statement } from './statement.ts';
import { createGatheredRows } from './tables/gatheredRows.ts';
import { gatheringTransaction } from './tables/gatheringTransaction.ts';
import { upsertStatement } from './tables/upsert.ts';
import { beginning, requireCommitted, searchPath, withRollback } from './transaction.ts';

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
export function createOneTrip(pool: pg.Pool): OneTrip {
  const rowsOf = createRowsOf();

  return {
    async apply(parts) {
      try {
        const moves = await Promise.all(parts.map(moveOf));
        const rows = await Promise.all(parts.map(rowsOf));
        await withRollback(pool, async (client) => {
          const prepared = preparedOf(client);
          const { schema } = parts[0]!.options;
          const text = [beginning({ schema }), prepared.execute('', exactMove(moves))];
          for (const [index, { options }] of parts.entries()) {
            if (rows[index]!.length > 0) text.push(searchPath(options.schema));
            for (const each of rows[index]!) text.push(prepared.execute(options.schema, each));
          }
          text.push('commit');
          const results = (await client.query(text.join(';\n'))) as unknown as pg.QueryResult[];
          requireCommitted(results.at(-1)!);
          prepared.keep();
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

/** Returns a function that tells the statements which write what a part changes. It throws if the consumer asks for an answer. */
function createRowsOf(): (part: Part) => Promise<readonly Statement[]> {
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
  take(): Promise<readonly Statement[]>;
}

function createGathering(): Gathering {
  let statements: Statement[] = [];
  const refuse = (reason: string): Promise<never> => Promise.reject(new Error(`this batch ${reason}`));
  const rows = createGatheredRows((table, ...upsert) => {
    // PostgreSQL may write a statement that fails to its log, with the values in its text.
    if (Object.values(table.columns).some(({ personal }) => personal)) return refuse('has personal data');
    statements.push(upsertStatement(table, ...upsert));
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
  /** SQL that runs the statement; the first time, SQL that prepares it and runs it. */
  execute(schema: string, statement: Statement): string;
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
      if (known !== undefined) return run;
      added.set(key, name);
      return `prepare "${name}" as ${text};\n${run}`;
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
