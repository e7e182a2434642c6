import { chooseSeed } from './property.ts';
import { startTestServer } from './testServer.ts';

declare global {
  // jest offers no other way to pass something on to globalTeardown.
  var stopTestServer: (() => Promise<void>) | undefined;
}

export default async function globalSetup(): Promise<void> {
  chooseSeed();
  await provideServer();
}

/** Names the PostgreSQL of this run for the workers: the server behind DATABASE_URL, or one started for them. */
export async function provideServer(options: { durable?: boolean } = {}): Promise<void> {
  const server = await startTestServer(process.env['DATABASE_URL'], options);
  globalThis.stopTestServer = server.stop;
  process.env['REELSTREAM_TEST_POSTGRES'] = server.url;
  if (server.folder === undefined) delete process.env['REELSTREAM_TEST_FOLDER'];
  else process.env['REELSTREAM_TEST_FOLDER'] = server.folder;
  if (server.template === undefined) delete process.env['REELSTREAM_TEST_TEMPLATE'];
  else process.env['REELSTREAM_TEST_TEMPLATE'] = server.template;
}
