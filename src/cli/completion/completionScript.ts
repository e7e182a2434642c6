import { viewRules } from '../../features/analytics/viewRules/index.ts';
import { projections } from '../../features/index.ts';
import { commands } from '../commands.ts';
import { createProgram } from '../program.ts';
import { bashScript, zshScript } from './bash.ts';
import { fishScript } from './fish.ts';
import { placesOf } from './places.ts';

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript };

/** The names of projections and view rules are those of this version. */
export function completionScript(shell: keyof typeof scripts): string {
  const named = { projection: projections.map(({ name }) => name), rule: viewRules.map(({ name }) => name) };
  return scripts[shell](placesOf(createProgram(commands), named));
}
