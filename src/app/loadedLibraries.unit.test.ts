import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

/** Prints the packages whose modules a role loads before it opens anything. */
const PROGRAM = `
  import { registerHooks } from 'node:module';
  const packages = new Set();
  registerHooks({
    load(url, context, next) {
      const found = /node_modules\\/((?:@[^/]+\\/)?[^/]+)\\//.exec(url);
      if (found) packages.add(found[1]);
      return next(url, context);
    },
  });
  await import('./src/cli/roleCommand.ts');
  await import('./src/app/startApp.ts');
  await import('./src/app/startRoles.ts');
  console.log(JSON.stringify([...packages]));
`;

test('what is not configured is not loaded: the clients of engines, which take 30 MB, and OpenTelemetry', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', PROGRAM], {
    cwd: `${import.meta.dirname}/../..`,
    env: { NODE_COMPILE_CACHE: '' },
  });
  const loaded = JSON.parse(stdout) as string[];
  expect(loaded).toEqual(expect.arrayContaining(['express', 'pg']));
  const clients = ['@eventstore/db-client', '@grpc/grpc-js', 'ioredis', 'kafkajs', 'minio', 'pino-pretty'];
  // pg-boss and prom-client import the API, which does nothing by itself.
  const telemetry = loaded.filter((name) => name.startsWith('@opentelemetry/') && name !== '@opentelemetry/api');
  expect([...loaded.filter((name) => clients.includes(name)), ...telemetry]).toEqual([]);
});
