import type { Command } from './command.ts';

export function helpText(commands: readonly Command[]): string {
  const rows = commands.map(
    ({ name, parameters, summary }) => [parameters === undefined ? name : `${name} ${parameters}`, summary] as const,
  );
  const width = Math.max(...rows.map(([usage]) => usage.length));
  return `ReelStream: a backend for short videos in which the event log is the database.

Usage: npm run -s reelstream -- <command>   (in a clone; without -s, npm prints two lines before the output)
       reelstream <command>

Commands:
${rows.map(([usage, summary]) => `  ${usage.padEnd(width)}  ${summary}`).join('\n')}
  ${'help'.padEnd(width)}  prints this help

For example: npm run -s reelstream -- openapi > openapi.json

The default command is serve. Settings are read from the environment and from .env in the working folder. .env.example lists all settings.`;
}
