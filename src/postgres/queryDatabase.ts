import { Kysely, PostgresDialect, type PostgresPool } from 'kysely';
import type pg from 'pg';

/** Far more than the queries that the code has. A query whose text varies without end must not fill the connections. */
const MOST_PREPARED = 500;

/**
 * Kysely for queries: each runs as a prepared statement, so PostgreSQL parses it once per connection, and plans it anew
 * only where the values matter.
 */
export function createQueryDatabase<Tables>(pool: pg.Pool): Kysely<Tables> {
  const names = new Map<string, string>();
  const nameOf = (text: string): string | undefined => {
    const known = names.get(text);
    if (known !== undefined || names.size === MOST_PREPARED) return known;
    const name = `kysely ${names.size}`;
    names.set(text, name);
    return name;
  };
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool: preparing(pool, nameOf) }) });
}

/**
 * The pool as Kysely uses it. As with `pool.query`, a connection on which something failed is not used again, unless
 * PostgreSQL only refused the statement.
 */
function preparing(pool: pg.Pool, nameOf: (text: string) => string | undefined): PostgresPool {
  const connect = async (): Promise<unknown> => {
    const client = await pool.connect();
    let failed = false;
    // The pool listens to idle connections only; without a listener, a connection that is lost now would end the process.
    const onError = (): void => void (failed = true);
    client.on('error', onError);
    return {
      async query(text: string, values: readonly unknown[]) {
        try {
          return await client.query({ name: nameOf(text), text, values: [...values] });
        } catch (error) {
          failed ||= !isRefusedStatement(error);
          throw error;
        }
      },
      release() {
        client.off('error', onError);
        client.release(failed);
      },
    };
  };
  return { connect: connect as PostgresPool['connect'], end: () => pool.end(), options: pool.options };
}

/** A missing column or table, or a syntax error (class 42): the connection is as good as before. */
function isRefusedStatement(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^42\w{3}$/.test(code);
}
