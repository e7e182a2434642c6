import { loadConfig } from '../config/config.ts';
import { createLog } from '../telemetry/log.ts';
import { expectNoArguments, type Command } from './command.ts';

export const migrateCommand: Command = {
  name: 'migrate',
  summary: 'brings the tables that are not projections up to date; every start does it too',
  async run(args) {
    expectNoArguments('migrate', args);
    const config = loadConfig(process.env);
    const log = createLog({ level: config.logLevel, role: 'migrate' });
    const [{ openDatabase }, { migrate }, { createPool }] = await Promise.all([
      import('../postgres/database.ts'),
      import('../postgres/migrate.ts'),
      import('../postgres/pool.ts'),
    ]);
    const database = await openDatabase({ config, log, shared: true });
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
