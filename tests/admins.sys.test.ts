import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { clip } from './support/clips.ts';
import { eventually } from './support/eventually.ts';
import { Instance, newPlace, type Ending, type Place } from './support/instance.ts';
import { call, uploaded, type Answer } from './support/systemClient.ts';

jest.setTimeout(120_000);

let place: Place;
const servers: Instance[] = [];
beforeEach(async () => {
  place = await newPlace();
});
afterEach(async () => {
  for (const server of servers.splice(0).reverse()) await server[Symbol.asyncDispose]();
  await place[Symbol.asyncDispose]();
});

type Variables = Readonly<Record<string, string>>;

function start(command: readonly string[], env: Variables = {}): Instance {
  return new Instance({ ...place, env, command: [process.execPath, 'bin/reelstream.js', ...command] });
}

/** Resolves when it has said what a start says. */
async function serve(env?: Variables): Promise<Instance> {
  const server = start(['serve'], env);
  servers.push(server);
  await server.ready();
  await eventually(() => server.output.includes('Its documentation is at'), { what: 'the start has said where it is' });
  return server;
}

const admins = (line: string, env?: Variables): Promise<Ending> => start(['admins', ...line.split(' ')], env).ended;

const FIRST = 'The first account that registers becomes the administrator (FIRST_USER_IS_ADMIN=false turns this off).';
const NO_ADMIN = 'No account is an administrator.';

type Tokens = Answer<{ accessToken: string }>;

class Client {
  readonly #base: string;
  constructor({ url }: Instance) {
    this.#base = url;
  }
  register(name: string): Promise<Answer<unknown>> {
    const json = { name: 'Some One', username: name, email: `${name}@example.org`, password: 'engine#1843' };
    return call(this.#base, 'POST', '/api/v1/auth/register', { json });
  }
  logIn(name: string): Promise<Tokens> {
    const json = { email: `${name}@example.org`, password: 'engine#1843' };
    return call(this.#base, 'POST', '/api/v1/auth/login', { json });
  }
  refresh({ headers }: Tokens): Promise<Tokens> {
    const cookies = headers.getSetCookie().map((each) => each.split(';')[0]!);
    return call(this.#base, 'POST', '/api/v1/auth/refresh-token', { headers: { cookie: cookies.join('; ') } });
  }
  /** The status and the code of the answer to a request that needs the role. */
  async asks({ data }: Tokens): Promise<[number, string | undefined]> {
    const { status, body } = await call(this.#base, 'GET', '/api/v1/admin/events?limit=1', { token: data.accessToken });
    return [status, body.code];
  }
}

const ALLOWED = [200, undefined];
const REFUSED = [403, 'admin_required'];

test('the first account is an admin, also after a restart; others become admins on the command line', async () => {
  let running = await serve();
  let client = new Client(running);
  expect(running.output).toContain(FIRST);
  expect((await client.register('ada')).body.meta?.role).toBe('admin');
  expect((await client.register('bob')).body.meta?.role).toBe('user');
  expect(await client.asks(await client.logIn('ada'))).toEqual(ALLOWED);
  await running.stop();

  running = await serve();
  client = new Client(running);
  expect(running.output).not.toMatch(/administrator/);
  const ada = await client.logIn('ada');
  let bob = await client.logIn('bob');
  expect([await client.asks(ada), await client.asks(bob)]).toEqual([ALLOWED, REFUSED]);

  // While the system runs, and without a restart.
  expect(await admins('grant bob@example.org')).toMatchObject({
    code: 0,
    output: expect.stringContaining('next token'),
  });
  expect(await client.asks(bob)).toEqual(REFUSED);
  bob = await client.refresh(bob);
  expect(await client.asks(bob)).toEqual(ALLOWED);
  expect(JSON.parse((await admins('list --json')).output)).toEqual([
    expect.objectContaining({ email: 'ada@example.org', granted: { by: 'first account', at: expect.any(String) } }),
    expect.objectContaining({ email: 'bob@example.org', granted: { by: 'command line', at: expect.any(String) } }),
  ]);

  expect(await admins('revoke ada@example.org')).toMatchObject({
    code: 0,
    output: expect.stringContaining('EXPIRES_IN'),
  });
  expect(await client.asks(ada)).toEqual(ALLOWED);
  expect(await client.asks(await client.refresh(ada))).toEqual(REFUSED);
  expect((await admins('revoke bob@example.org')).output).toContain('Nobody is an administrator now');
  await running.stop();
  expect((await serve()).output).toContain(NO_ADMIN);
});

test('an administrator who is listed in ADMIN_EMAILS needs no grant, and cannot be revoked', async () => {
  const env = { FIRST_USER_IS_ADMIN: 'false', ADMIN_EMAILS: 'Bob@Example.org' };
  const running = await serve(env);
  expect(running.output).not.toContain('administrator');
  const client = new Client(running);
  expect((await client.register('ada')).body.meta?.role).toBe('user');
  expect(await admins('list', env)).toMatchObject({
    code: 0,
    output: expect.stringContaining('nobody has registered'),
  });
  expect((await client.register('bob')).body.meta?.role).toBe('admin');
  expect(await client.asks(await client.logIn('bob'))).toEqual(ALLOWED);

  expect(await admins('revoke bob@example.org', env)).toMatchObject({
    code: 1,
    output: expect.stringMatching(/^bob@example\.org is an administrator because ADMIN_EMAILS lists.*Remove it/),
  });
  expect(await admins('grant eve@example.org', env)).toMatchObject({
    code: 1,
    output: 'No account has the e-mail address eve@example.org. Register the account first.\n',
  });
});

test('decisions on the command line take effect while the system runs, and their history is shown', async () => {
  const run = (...words: string[]): Promise<Ending> => start(words).ended;
  const running = await serve();
  const client = new Client(running);
  for (const name of ['ada', 'bob']) await client.register(name);
  const [ada, bob] = [await client.logIn('ada'), await client.logIn('bob')];
  const { id } = await uploaded(running.url, bob.data.accessToken, await clip('plain'), { title: 'Cheap watches' });
  const report = { token: ada.data.accessToken, json: { reason: 'spam', text: 'Not again.' } };
  expect((await call(running.url, 'POST', `/api/v1/video/${id}/reports`, report)).status).toBe(201);

  expect((await run('reports', 'list')).output).toMatch(
    new RegExp(`^${id} +Cheap watches +bob +visible +1 +spam`, 'm'),
  );
  expect((await run('reports', 'dismiss', id, '--reason', 'Nothing is wrong.')).output).toContain('dismissed');
  expect((await run('videos', 'hide', id, '--reason', 'It is advertising.')).output).toContain('hidden');
  await eventually(() => call(running.url, 'GET', `/api/v1/video/${id}`), {
    what: 'the video is gone',
    holds: ({ status }) => status === 404,
  });
  const { output } = await run('reports', 'show', id, '--json');
  expect(JSON.parse(output)).toMatchObject({
    video: { id, state: 'hidden' },
    reports: [{ reason: 'spam', text: 'Not again.' }],
    decisions: [
      { decision: 'dismissed', by: 'command line', reason: 'Nothing is wrong.' },
      { decision: 'hidden', by: 'command line', reason: 'It is advertising.' },
    ],
  });

  expect((await run('users', 'suspend', 'bob@example.org', '--reason', 'Spam.')).output).toContain('suspended');
  await eventually(() => client.asks(bob), {
    what: 'the session has ended',
    holds: ([status, code]) => status === 401 && code === 'session_revoked',
  });
  expect((await client.logIn('bob')).body.code).toBe('account_suspended');
  expect((await run('users', 'show', 'bob@example.org')).output).toMatch(/suspended +command line +Spam\./);
  expect(await run('videos', 'restore', id)).toMatchObject({ code: 2, output: expect.stringContaining('--reason') });

  expect(await run('users', 'forget', 'bob@example.org')).toMatchObject({
    code: 2,
    output: expect.stringContaining('--yes'),
  });
  expect((await run('users', 'forget', 'bob@example.org', '--yes')).output).toContain('deleted');
  await eventually(() => client.logIn('bob'), {
    what: 'nobody is suspended under this address any more',
    holds: ({ status }) => status === 401,
  });
});
