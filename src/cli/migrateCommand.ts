import { Command } from '@commander-js/extra-typings';
import { loadConfig } from '../config/config.ts';
import { createLogger } from '../telemetry/logger.ts';
import { example, type CreateCommand } from './command.ts';
import { print } from './output.ts';
import { run } from './run.ts';

export const migrateCommand: CreateCommand = () =>
  new Command('migrate')
    .description('updates the tables that do not belong to projections; every start does this too')
    .addHelpText('after', example('migrate'))
    .action(run(updateTables));

async function updateTables(): Promise<number> {
  const config = loadConfig(process.env);
  const logger = createLogger({ level: config.logLevel, role: 'migrate', destination: process.stderr });
  const [{ openDatabase }, { migrate }, { createPool }] = await Promise.all([
    import('../postgres/database.ts'),
    import('../postgres/migrate.ts'),
    import('../postgres/pool.ts'),
  ]);
  const database = await openDatabase({ config, logger, shared: true });
  const pool = createPool({ connectionString: database.url, name: 'migrate', max: 2 });
  try {
    await migrate(pool);
    await print('The tables are up to date.\n');
    return 0;
  } finally {
    await pool.end();
    await database.close();
  }
}
