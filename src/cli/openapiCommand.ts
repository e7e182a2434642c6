import { expectNoArguments, type Command } from './command.ts';

export const openapiCommand: Command = {
  name: 'openapi',
  summary: 'prints the OpenAPI document of the API, without starting anything',
  async run(args) {
    expectNoArguments('openapi', args);
    const [{ declaredApiRoutes }, { documentedRoutes }, { openApiDocument }, { realtimeDocs }] = await Promise.all([
      import('../app/apiRoutes.ts'),
      import('../http/httpApp.ts'),
      import('../http/openapi.ts'),
      import('../realtime/realtimeDocs.ts'),
    ]);
    const routes = documentedRoutes(declaredApiRoutes(), { realtime: realtimeDocs() } as never);
    // A pipe takes only part of it at once, and the process ends when this resolves.
    await new Promise<void>((resolve) => process.stdout.write(`${JSON.stringify(openApiDocument(routes), undefined, 2)}\n`, () => resolve()));
    return 0;
  },
};
