import type pg from 'pg';
import type { ConsumerTransaction } from './consumer.ts';
import { kyselyOn, searchPath } from './transaction.ts';

/** A projection's inserts have few texts. One whose text varies without end must not fill the connections. */
const MOST_PREPARED = 500;

/**
 * Several consumers' views of one transaction: the unqualified names of each are those of its own schema, although their
 * statements are mixed. They are sent without waiting for each other.
 */
export interface Scopes {
  /** To be called when a transaction begins with this `search_path`. */
  begin(schema: string): void;
  of(schema: string): ConsumerTransaction;
}

const scopesOfClients = new WeakMap<pg.ClientBase, Scopes>();

/** Each connection has one: a Kysely is dear to make. */
export function scopesOf(client: pg.ClientBase): Scopes {
  const known = scopesOfClients.get(client);
  if (known !== undefined) return known;
  const made = createScopes(client);
  scopesOfClients.set(client, made);
  return made;
}

function createScopes(client: pg.ClientBase): Scopes {
  const transactions = new Map<string, ConsumerTransaction>();
  let current: string;

  function scopedQuery(schema: string): pg.ClientBase['query'] {
    const query = (text: string | pg.QueryConfig, values?: unknown[]): Promise<pg.QueryResult> => {
      if (current !== schema) {
        current = schema;
        // When it fails, so does every later statement of the transaction.
        client.query(searchPath(schema)).catch(() => undefined);
      }
      const name = typeof text === 'string' && values !== undefined ? nameOf(schema, text) : undefined;
      return name === undefined ? client.query(text, values) : client.query({ name, text: text as string, values });
    };
    return query as pg.ClientBase['query'];
  }

  return {
    begin: (schema) => void (current = schema),
    of(schema) {
      const known = transactions.get(schema);
      if (known !== undefined) return known;
      const scoped = { query: scopedQuery(schema) } as pg.ClientBase;
      const made = { client: scoped, db: kyselyOn(scoped) };
      transactions.set(schema, made);
      return made;
    },
  };
}

const names = new Map<string, string>();

/**
 * The name under which a statement is prepared. Only inserts are: they have one plan, whatever the values are and however
 * large the table is.
 */
function nameOf(schema: string, text: string): string | undefined {
  if (!/^\s*insert /.test(text)) return undefined;
  const key = `${schema} ${text}`;
  const known = names.get(key);
  if (known !== undefined || names.size === MOST_PREPARED) return known;
  const name = `insert ${names.size}`;
  names.set(key, name);
  return name;
}
