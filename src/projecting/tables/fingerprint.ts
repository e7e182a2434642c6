import { createHash } from 'node:crypto';
import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely';

/**
 * Identifies the tables that a declaration creates, without a database: the hash of the statements that it would run, in
 * any order. Two declarations with one fingerprint create the same tables.
 */
export async function fingerprintOf(createTables: (db: Kysely<never>) => Promise<void>): Promise<string> {
  const statements: string[] = [];
  const db = new Kysely<never>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (kysely) => new PostgresIntrospector(kysely),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
    log: ({ query }) => void statements.push([withoutLayout(query.sql), ...query.parameters.map(String)].join('\0')),
  });
  await createTables(db);
  return createHash('sha256').update(statements.toSorted().join('\n')).digest('base64url');
}

/** A reformatted statement creates the same tables. */
function withoutLayout(sql: string): string {
  return sql.replaceAll(/\s+/g, ' ').trim();
}
