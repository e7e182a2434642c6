import type pg from 'pg';

/** PostgreSQL does not know a table (42P01) or a schema (3F000) that a statement names. */
export function isMissingTable(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === '42P01' || code === '3F000';
}

/** `read`, or undefined when `table` does not exist, or is dropped in between. Asks first: the server logs statements that fail. */
export async function readIfThere<Found>(
  client: Pick<pg.ClientBase, 'query'>,
  table: string,
  read: () => Promise<Found>,
): Promise<Found | undefined> {
  const { rowCount: found } = await client.query('select where to_regclass($1) is not null', [table]);
  if (found === 0) return undefined;
  try {
    return await read();
  } catch (error) {
    if (isMissingTable(error)) return undefined;
    throw error;
  }
}
