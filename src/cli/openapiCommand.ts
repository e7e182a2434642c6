import { expectNoArguments, type Command } from './command.ts';

export const openapiCommand: Command = {
  name: 'openapi',
  summary: 'prints the OpenAPI document of the API, without starting the server',
  async run(args) {
    expectNoArguments('openapi', args);
    const [{ declaredRoutes }, { routeTags }, { openApiDocument }] = await Promise.all([
      import('../app/declaredRoutes.ts'),
      import('../features/index.ts'),
      import('../http/documents/openapi.ts'),
    ]);
    await print(`${JSON.stringify(openApiDocument(declaredRoutes(), routeTags), undefined, 2)}\n`);
    return 0;
  },
};

/**
 * Resolves when the whole text is written, since a pipe accepts only a part at a time. It is not an error when the reader closes
 * the pipe early, as `head` does.
 */
async function print(text: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // The stream also emits the error, and without a listener that would end the process.
  process.stdout.on('error', () => undefined);
  process.stdout.write(text, (error) => {
    if (error != null && (error as NodeJS.ErrnoException).code !== 'EPIPE') reject(error);
    else resolve();
  });
  return promise;
}
