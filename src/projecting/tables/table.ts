import {
  sql,
  type ColumnDataType,
  type ColumnDefinitionBuilder,
  type ColumnType,
  type CreateTableBuilder,
  type Kysely,
} from 'kysely';

/** A column: its SQL type, and the TypeScript types of what is read from it and what is written to it. */
export interface Column<Read = unknown, Write = Read> {
  readonly type: ColumnDataType;
  readonly nullable: boolean;
  /** Personal data, which reports for operators do not show. */
  readonly personal?: boolean;
  /** Adds to the column's definition what the other fields cannot say, such as a default. */
  readonly define?: (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder;
  /** Exists for the compiler only; it is never set. */
  readonly types?: ColumnType<Read, Write, Read | Write>;
}

export type Columns = Readonly<Record<string, Column>>;

/** A table of a projection, as data. The engine creates the table from it, and the compiler takes its row types from it. */
export interface Table<Name extends string = string, Cols extends Columns = Columns> extends TableOptions<
  string,
  object
> {
  readonly name: Name;
  readonly columns: Cols;
}

interface TableOptions<Name extends string, FirstRow> {
  readonly primaryKey: readonly Name[];
  /** Per cent of each page that inserts may fill. The rest is room for updates next to the row. */
  readonly fillfactor?: number;
  readonly indexes?: Readonly<Record<string, Index<Name>>>;
  /** Answers to commands show its rows, so what is written is returned (`writtenRows.ts`). Its primary key is one column. */
  readonly returned?: true;
  /** Rows that the table has from its creation on. */
  readonly rows?: readonly FirstRow[];
}

interface Index<Name extends string> {
  readonly columns: readonly (Name | `${Name} desc`)[];
  /** An SQL condition: the index holds only the rows for which it is true. */
  readonly where?: string;
}

/**
 * Declares a table. Give each column its doc comment here: row types keep it.
 *
 * @example
 * const likes = table('likes', { user_id: uuid, video_id: uuid, liked: boolean }, { primaryKey: ['user_id', 'video_id'] });
 */
export function table<const Name extends string, Cols extends Columns>(
  name: Name,
  columns: Cols,
  options: TableOptions<keyof Cols & string, NewRow<Cols>>,
): Table<Name, Cols> {
  return { name, columns, ...options };
}

export const uuid: Column<string> = { type: 'uuid', nullable: false };
export const text: Column<string> = { type: 'text', nullable: false };
export const boolean: Column<boolean> = { type: 'boolean', nullable: false };
export const integer: Column<number> = { type: 'integer', nullable: false };
export const float8: Column<number> = { type: 'float8', nullable: false };
/** Rows are written as JSON, which has no bigint: write a number, or a string if it may be above 2^53. */
export const int8: Column<bigint, number | string> = { type: 'int8', nullable: false };
/** Written as a Date or as ISO 8601. */
export const timestamptz: Column<Date, Date | string> = { type: 'timestamptz', nullable: false };
/** `YYYY-MM-DD`. */
export const date: Column<string> = { type: 'date', nullable: false };

/** Text that is one of a few words. The database does not check them. */
export function oneOf<const Words extends readonly string[]>(..._words: Words): Column<Words[number]> {
  return text;
}

export function nullable<Read, Write>(column: Column<Read, Write>): Column<Read | null, Write | null> {
  return { ...(column as Column<Read | null, Write | null>), nullable: true };
}

/** Marks a column that holds personal data: a report of differing rows shows that it differs, and not its values. */
export function personal<Read, Write>(column: Column<Read, Write>): Column<Read, Write> {
  return { ...column, personal: true };
}

/** The names of the columns that hold personal data, by table. */
export function personalColumns(tables: readonly Table[]): Record<string, string[]> {
  const isPersonal = ([, column]: [string, Column]): boolean => column.personal === true;
  return Object.fromEntries(
    tables.map(({ name, columns }) => [
      name,
      Object.entries(columns)
        .filter(isPersonal)
        .map(([column]) => column),
    ]),
  );
}

type TypesOf<C extends Column> = NonNullable<C['types']>;

/** What a query reads from the table (or from its columns). */
export type Row<T extends Table | Columns> = {
  -readonly [C in keyof ColumnsOf<T>]: TypesOf<ColumnsOf<T>[C]>['__select__'];
};

/** What `upsert` writes to the table (or to its columns): a value for every column. */
export type NewRow<T extends Table | Columns> = {
  -readonly [C in keyof ColumnsOf<T>]: TypesOf<ColumnsOf<T>[C]>['__insert__'];
};

type ColumnsOf<T extends Table | Columns> = T extends Table<string, infer Cols> ? Cols : T extends Columns ? T : never;

/** A table as Kysely wants it. */
type KyselyTable<T extends Table> = { [C in keyof T['columns']]: TypesOf<T['columns'][C]> };

/** The tables as the projection itself sees them, by their bare names: `Kysely<Database<typeof tables>>`. */
export type Database<Tables extends readonly Table[]> = { [T in Tables[number] as T['name']]: KyselyTable<T> };

/** The tables of several projections as queries see them, by schema and name: `'videos.counts'`. */
export type QualifiedDatabase<Projection extends { readonly name: string; readonly tables: readonly Table[] }> = {
  [Pair in SchemaAndTable<Projection> as `${Pair['schema']}.${Pair['table']['name']}`]: KyselyTable<Pair['table']>;
};

type SchemaAndTable<Projection> = Projection extends {
  readonly name: infer Schema;
  readonly tables: readonly (infer T)[];
}
  ? T extends Table
    ? { readonly schema: Schema & string; readonly table: T }
    : never
  : never;

/** Creates the tables in the schema that `db` points at. */
export async function createTables(db: Kysely<never>, tables: readonly Table[]): Promise<void> {
  const writer = db as unknown as Kysely<Record<string, Record<string, unknown>>>;
  for (const { name, columns, primaryKey, fillfactor, indexes = {}, rows = [] } of tables) {
    let create: CreateTableBuilder<string, string> = writer.schema.createTable(name);
    for (const [column, { type, nullable, define = (as: ColumnDefinitionBuilder) => as }] of Object.entries(columns))
      create = create.addColumn(column, type, (as) => define(nullable ? as : as.notNull()));
    create = create.addPrimaryKeyConstraint(`${name}_pkey`, [...primaryKey]);
    if (fillfactor !== undefined) create = create.modifyEnd(sql`with (fillfactor = ${sql.lit(fillfactor)})`);
    await create.execute();
    for (const [index, { columns, where }] of Object.entries(indexes)) {
      const on = writer.schema
        .createIndex(index)
        .on(name)
        .columns([...columns]);
      await (where === undefined ? on : on.where(sql.raw<boolean>(where))).execute();
    }
    if (rows.length > 0)
      await writer
        .insertInto(name)
        .values([...rows])
        .execute();
  }
}
