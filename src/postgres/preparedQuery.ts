import { sql, type AliasedRawBuilder, type Compilable, type CompiledQuery, type Expression, type Kysely } from 'kysely';

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

type ListType = 'uuid' | 'int';
type ValueOf<Type extends ListType> = Type extends 'int' ? number : string;

/** Arguments that are lists of the same length. */
export type Lists<Columns extends Record<string, ListType>> = {
  readonly [Column in keyof Columns]: readonly ValueOf<Columns[Column]>[];
};

/**
 * The table `asked`: one row for each place of the lists, and in the column `place` its number, from 1. One query then answers
 * many questions.
 *
 * The lists are in sub-selects so that PostgreSQL does not see how long they are. Otherwise it expects that a plan for a list of this
 * length is better, and plans the query again whenever it runs, which costs more than to run it.
 *
 * @example
 * preparedQuery(db, (argument: Argument<Lists<{ id: 'uuid' }>>) =>
 *   db.selectFrom(asked(argument, { id: 'uuid' })).innerJoin('videos.videos as v', 'v.id', 'asked.id').select(['place', 'title']));
 */
export function asked<const Columns extends Record<string, ListType>>(
  argument: Argument<Lists<Columns>>,
  columns: Columns,
): AliasedRawBuilder<{ [Column in keyof Columns]: ValueOf<Columns[Column]> } & { place: bigint }, 'asked'> {
  const names = Object.keys(columns);
  const lists = names.map((name) => sql`(select ${argument(name)}::${sql.raw(columns[name]!)}[])`);
  const named = sql`asked(${sql.join([...names, 'place'].map((name) => sql.ref(name)))})`;
  return sql<never>`unnest(${sql.join(lists)}) with ordinality`.as<'asked'>(named);
}
