import type { Command } from './command.ts';
import { migrateCommand } from './migrateCommand.ts';
import { openapiCommand } from './openapiCommand.ts';
import { projectionsCommand } from './projectionsCommand.ts';
import { roleCommand } from './roleCommand.ts';

/** In the order in which `--help` lists them. A command loads what it needs when it runs, so that the others start fast. */
export const commands: readonly Command[] = [
  roleCommand('serve', 'everything in one process; what npm start runs'),
  roleCommand('api', 'HTTP and Socket.io only'),
  roleCommand('projector', 'keeps the read models up to date'),
  roleCommand('media', 'transcodes videos'),
  roleCommand('relay', 'copies the event log to Kafka'),
  migrateCommand,
  projectionsCommand,
  openapiCommand,
];
