import type { Migration } from 'kysely/migration';

/** In the order of their names; a migration that has been released is never changed. */
export const migrations: Record<string, Migration> = {};
