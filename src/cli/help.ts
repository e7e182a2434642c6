import type { Command } from './command.ts';

export function helpText(commands: readonly Command[]): string {
  const rows = commands.map(
    ({ name, parameters, summary }) => [parameters === undefined ? name : `${name} ${parameters}`, summary] as const,
  );
  const width = Math.max(...rows.map(([usage]) => usage.length));
  return `ReelStream: a backend for short videos in which the event log is the database.

Usage: npm run -s reelstream -- <command>   (from a clone; without -s, npm prints two lines of its own first)
       reelstream <command>

Commands:
${rows.map(([usage, summary]) => `  ${usage.padEnd(width)}  ${summary}`).join('\n')}
  ${'help'.padEnd(width)}  this

For example: npm run -s reelstream -- openapi > openapi.json

Without a command: serve. Settings come from the environment and from .env in the working folder; .env.example lists them all.`;
}
