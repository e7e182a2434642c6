import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

/** Prints the packages whose modules `src/app/startRoles.ts` loads. */
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
  await import('./src/app/startRoles.ts');
  console.log(JSON.stringify([...packages]));
`;

test('the clients of engines that are not configured are not loaded: they take 30 MB', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', PROGRAM], {
    cwd: `${import.meta.dirname}/../..`,
    env: { NODE_COMPILE_CACHE: '' },
  });
  const loaded = JSON.parse(stdout) as string[];
  expect(loaded).toEqual(expect.arrayContaining(['express', 'pg']));
  const clients = ['@eventstore/db-client', '@grpc/grpc-js', 'ioredis', 'kafkajs', 'minio', '@opentelemetry/sdk-node'];
  expect(loaded.filter((name) => clients.includes(name))).toEqual([]);
});
