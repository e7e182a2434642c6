import { Command } from '@commander-js/extra-typings';
import { example, type CreateCommand } from './command.ts';
import { printJson } from './output.ts';
import { run } from './run.ts';

export const openapiCommand: CreateCommand = () =>
  new Command('openapi')
    .description('prints the OpenAPI document of the API, without starting the server')
    .addHelpText('after', example('openapi > openapi.json'))
    .action(
      run(async () => {
        const [{ declaredRoutes }, { routeTags }, { openApiDocument }] = await Promise.all([
          import('../app/declaredRoutes.ts'),
          import('../features/index.ts'),
          import('../http/documents/openapi.ts'),
        ]);
        await printJson(openApiDocument(declaredRoutes(), routeTags));
        return 0;
      }),
    );
