import { loadConfig } from '../config/config.ts';
import { createLogger } from '../telemetry/logger.ts';
import { expectNoArguments, type Command } from './command.ts';

export const migrateCommand: Command = {
  name: 'migrate',
  summary: 'updates the tables that do not belong to projections; every start does this too',
  async run(args) {
    expectNoArguments('migrate', args);
    const config = loadConfig(process.env);
    const logger = createLogger({ level: config.logLevel, role: 'migrate' });
    const [{ openDatabase }, { migrate }, { createPool }] = await Promise.all([
      import('../postgres/database.ts'),
      import('../postgres/migrate.ts'),
      import('../postgres/pool.ts'),
    ]);
    const database = await openDatabase({ config, logger, shared: true });
    const pool = createPool({ connectionString: database.url, name: 'migrate', max: 2 });
    try {
      await migrate(pool);
      console.log('The tables are up to date.');
      return 0;
    } finally {
      await pool.end();
      await database.close();
    }
  },
};
