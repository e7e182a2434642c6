import { createTestDatabase } from '../../tests/support/database.ts';
import { eventStoreContract } from './eventStoreContract.ts';
import { createPostgresEventStore } from './postgresEventStore.ts';

eventStoreContract('The PostgreSQL event store', async () => {
  const database = await createTestDatabase();
  return {
    open: () => Promise.resolve(createPostgresEventStore({ pool: database.pool })),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
});
