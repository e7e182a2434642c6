import { Argument, Command } from '@commander-js/extra-typings';
import { example, type CreateCommand } from './command.ts';
import { print } from './output.ts';
import { run } from './run.ts';

export const completionCommand: CreateCommand = () =>
  new Command('completion')
    .description('prints a script with which a shell completes commands, options, and names of projections and rules')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .addHelpText('after', example('completion bash'))
    .addHelpText('after', IN_SHELLS)
    .action(
      run(async (_signal, shell) => {
        const { completionScript } = await import('./completion/completionScript.ts');
        await print(completionScript(shell));
        return 0;
      }),
    );

const IN_SHELLS = `
In ~/.bashrc:  source <(reelstream completion bash)
In ~/.zshrc:   source <(reelstream completion zsh)
In config.fish:  reelstream completion fish | source
`;
