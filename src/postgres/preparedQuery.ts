import { sql, type Compilable, type CompiledQuery, type Expression, type Kysely } from 'kysely';

/** Stands for the argument of this name while the query is built. */
export type Argument<Args> = <Name extends keyof Args>(name: Name) => Expression<Args[Name]>;

class Placeholder {
  readonly name: PropertyKey;

  constructor(name: PropertyKey) {
    this.name = name;
  }
}

/**
 * Returns a function that runs a query with its arguments. The query is built and compiled once, when it first runs. Kysely builds and compiles
 * a query whenever it runs, which costs more than PostgreSQL needs to look up a row: use this for queries that run
 * hundreds of times a second.
 *
 * @example
 * const titleOf = preparedQuery(db, (argument: Argument<{ videoId: string }>) =>
 *   db.selectFrom('videos.videos').select('title').where('id', '=', argument('videoId')));
 * const rows = await titleOf({ videoId });
 */
export function preparedQuery<Args extends object, Row>(
  db: Pick<Kysely<unknown>, 'executeQuery'>,
  build: (argument: Argument<Args>) => Compilable<Row>,
): (args: Args) => Promise<readonly Row[]> {
  let compiled: CompiledQuery<Row> | undefined;
  return async (args) => {
    compiled ??= build((name) => sql`${new Placeholder(name)}`).compile();
    const parameters = compiled.parameters.map((value) =>
      value instanceof Placeholder ? args[value.name as keyof Args] : value,
    );
    return (await db.executeQuery<Row>({ ...compiled, parameters })).rows;
  };
}
