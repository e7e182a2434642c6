/** PostgreSQL does not know a table (42P01) or a schema (3F000) that a statement names. */
export function isMissingTable(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === '42P01' || code === '3F000';
}
