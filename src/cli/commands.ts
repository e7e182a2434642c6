import { adminsCommand } from './adminsCommand.ts';
import { backupCommand, restoreCommand } from './backupCommand.ts';
import type { CreateCommand } from './command.ts';
import { completionCommand } from './completionCommand.ts';
import { eventsCommand } from './eventsCommand.ts';
import { jobsCommand } from './jobsCommand.ts';
import { logCommand } from './logCommand.ts';
import { keysCommand } from './keysCommand.ts';
import { metricsCommand } from './metricsCommand.ts';
import { migrateCommand } from './migrateCommand.ts';
import { openapiCommand } from './openapiCommand.ts';
import { projectionsCommand } from './projectionsCommand.ts';
import { replayCommand } from './replayCommand.ts';
import { reportsCommand } from './reportsCommand.ts';
import { roleCommand } from './roleCommand.ts';
import { usersCommand } from './usersCommand.ts';
import { videosCommand } from './videosCommand.ts';

/** In the order of `--help`. */
export const commands: readonly CreateCommand[] = [
  () => roleCommand('serve', 'runs everything in one process; npm start runs this'),
  () => roleCommand('api', 'serves HTTP and Socket.io'),
  () => roleCommand('projector', 'updates the read models'),
  () => roleCommand('media', 'transcodes videos'),
  () => roleCommand('relay', 'copies the event log to Kafka'),
  migrateCommand,
  projectionsCommand,
  jobsCommand,
  videosCommand,
  reportsCommand,
  usersCommand,
  adminsCommand,
  keysCommand,
  replayCommand,
  eventsCommand,
  logCommand,
  backupCommand,
  restoreCommand,
  openapiCommand,
  metricsCommand,
  completionCommand,
];
