import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { loadConfig, type Environment } from './config.ts';
import { replaceSecret } from './rotateSecrets.ts';
import { composeVariables, envExample, variables } from './configVariables.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reelstream-config-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const load = (env: Environment, role?: Parameters<typeof loadConfig>[1]): ReturnType<typeof loadConfig> =>
  loadConfig({ DATA_DIR: join(folder, 'data'), ...env }, role);
const DATABASE_URL = 'postgres://reelstream:hunter2@db/reelstream';
const key = (): string => randomBytes(32).toString('base64');

describe('the settings', () => {
  test('have defaults for everything that the embedded profile needs', () => {
    expect(load({})).toMatchObject({
      role: 'serve',
      production: false,
      port: 3000,
      socketPort: 3002,
      dataDir: join(folder, 'data'),
      databaseUrl: undefined,
      kafka: undefined,
      minio: undefined,
      accessTokenSeconds: 15 * 60,
      refreshTokenSeconds: 30 * 86_400,
      uploadWaitSeconds: 30,
      rateLimits: {
        enabled: true,
        limits: {
          general: { points: 600, seconds: 60 },
          address: { points: 6_000, seconds: 60 },
          registration: { points: 30, seconds: 3_600 },
        },
      },
    });
  });

  test.each([
    ['api', 3000],
    ['projector', 3010],
    ['media', 3020],
    ['relay', 3030],
  ] as const)('give %s the port %i of its own', (role, port) => {
    expect(load({ DATABASE_URL, KAFKA_BROKERS: 'k:9092' }, role).port).toBe(port);
  });

  test('are read with their units and lists', () => {
    const config = load({
      EXPIRES_IN: '2h',
      REFRESH_EXPIRES_IN: '90',
      KAFKA_BROKERS: 'a:9092, b:9092',
      LEGACY_SOCKET: 'false',
      TRUST_PROXY: '2',
      MINIO_ENDPOINT: 'store',
      MINIO_ACCESS_KEY: 'a',
      MINIO_SECRET_KEY: 'b',
      MINIO_USE_SSL: 'true',
    });
    expect(config).toMatchObject({
      accessTokenSeconds: 7_200,
      refreshTokenSeconds: 90,
      socketPort: undefined,
      trustProxy: 2,
      kafka: { brokers: ['a:9092', 'b:9092'], topic: 'reelstream.events', partitions: 6 },
      minio: { endpoint: 'store', port: 9000, useSsl: true, bucket: 'reelstream', publicUrl: undefined },
    });
  });

  test('that are web addresses lose the slash at their end', () => {
    const minio = {
      MINIO_ENDPOINT: 'store',
      MINIO_ACCESS_KEY: 'a',
      MINIO_SECRET_KEY: 'b',
      MINIO_PUBLIC_URL: 'https://media.example.org/',
    };
    const { publicUrl, minio: read } = load({ ...minio, PUBLIC_URL: 'https://reels.example.org//' });
    expect([publicUrl, read?.publicUrl]).toEqual(['https://reels.example.org', 'https://media.example.org']);
  });

  test('that are empty count as not set', () => {
    expect(load({ PORT: '', REDIS_URL: ' ' })).toMatchObject({ port: 3000, redisUrl: undefined });
  });

  test('that are wrong are all named at once, without showing what may be secret', () => {
    const wrong = {
      PORT: '99999',
      EXPIRES_IN: 'soon',
      LOG_LEVEL: 'loud',
      DATABASE_URL: 'mysql://root:hunter2@db',
      DATA_KEY: 'hunter2',
    };
    const message = messageOf(() => load(wrong));
    for (const name of Object.keys(wrong)) expect(message).toContain(`- ${name} must be `);
    expect(message).toContain('- PORT must be a port number from 0 to 65535, not "99999" (example: PORT=3000)\n');
    expect(message).not.toContain('hunter2');
  });

  test('that are wrong are not said to be missing', () => {
    const message = messageOf(() =>
      load({ NODE_ENV: 'production', DATABASE_URL, REFRESH_SECRET: key(), DATA_KEY: 'short' }),
    );
    expect(message).toMatch(/^- DATA_KEY must be 32 bytes in base64 .*\n- JWT_SECRET must be set in production/m);
  });

  test('that contradict each other are refused', () => {
    expect(messageOf(() => load({}, 'api'))).toContain('DATABASE_URL is needed by "api"');
    expect(messageOf(() => load({ DATABASE_URL }, 'relay'))).toContain('KAFKA_BROKERS is needed');
    expect(messageOf(() => load({ PORT: '3002' }))).toContain('SOCKET_PORT must differ from PORT');
    expect(messageOf(() => load({ MINIO_ENDPOINT: 'store', MINIO_ACCESS_KEY: 'a' }))).toBe(
      'MINIO_SECRET_KEY must be set with MINIO_ENDPOINT.',
    );
  });

  test('that ask the event store client for what it cannot do are refused, without their password', () => {
    const message = messageOf(() =>
      load({ EVENTSTORE_URL: 'kurrentdb://admin:hunter2@host:2113?tlsVerifyCert=false' }),
    );
    expect(message).toMatch(/^EVENTSTORE_URL asks for tlsVerifyCert=false.*tlsCAFile/);
    expect(message).not.toContain('hunter2');
    expect(load({ EVENTSTORE_URL: 'esdb://host:2113?tls=false&tlsVerifyCert=false' }).eventStoreUrl).toContain(
      'tls=false',
    );
  });

  test('name the proxies in production', () => {
    expect(messageOf(() => load({ NODE_ENV: 'production', TRUST_PROXY: 'true' }))).toMatch(
      /^TRUST_PROXY must name your proxies in production/,
    );
    expect(load({ NODE_ENV: 'production', TRUST_PROXY: '1' }).trustProxy).toBe(1);
    expect(load({ TRUST_PROXY: 'true' }).trustProxy).toBe(true);
  });
});

describe('secrets', () => {
  const file = (): string => join(folder, 'data', 'secrets.json');

  /** All that are accepted, the one in use first. */
  const secretsOf = (env: Environment) => {
    const { jwt, refresh, dataKey } = load(env).secrets;
    const dataKeys = dataKey.keys().map((each) => each.toString('base64'));
    return { JWT_SECRET: [...jwt.keys()], REFRESH_SECRET: [...refresh.keys()], DATA_KEY: dataKeys };
  };

  test('that are missing are generated once, readable by the owner only, and read again', () => {
    const first = secretsOf({});
    expect(Buffer.from(first.DATA_KEY[0]!, 'base64')).toHaveLength(32);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(secretsOf({})).toEqual(first);
    expect(new Set(Object.values(first).flat()).size).toBe(3);
  });

  test('of the environment win over generated ones, except the key that encrypted existing data', () => {
    const first = secretsOf({});
    expect(secretsOf({ JWT_SECRET: 'mine', JWT_SECRET_ACCEPTED: 'next,last' })).toEqual({
      ...first,
      JWT_SECRET: ['mine', 'next', 'last'],
    });
    mkdirSync(join(folder, 'data', 'postgres'));
    expect(messageOf(() => load({ DATA_KEY: key() }))).toContain('DATA_KEY differs');
    expect(secretsOf({ DATA_KEY: first.DATA_KEY[0] })).toEqual(first);
    const next = key();
    expect(secretsOf({ DATA_KEY: next, DATA_KEY_ACCEPTED: first.DATA_KEY[0] }).DATA_KEY[0]).toBe(next);
  });

  test('of the environment are not generated, so that a data folder may begin with a DATA_KEY of its own', () => {
    const env = { DATA_KEY: key() };
    load(env);
    mkdirSync(join(folder, 'data', 'postgres'));
    expect(secretsOf(env).DATA_KEY).toEqual([env.DATA_KEY]);
    expect(Object.keys(JSON.parse(readFileSync(file(), 'utf8')) as object)).toEqual(['JWT_SECRET', 'REFRESH_SECRET']);
  });

  test('that were replaced in the file are noticed, and accepted until their time has come', async () => {
    const { jwt, refresh, dataKey } = load({}).secrets;
    const [first, other, data] = [jwt.keys(), refresh.keys(), dataKey.keys()];
    expect(jwt.refresh()).toBe(false);
    expect(jwt.keys()).toBe(first);

    await replaceSecret(join(folder, 'data'), 'JWT_SECRET', new Date(Date.now() + 60_000));
    expect(jwt.refresh()).toBe(true);
    expect(jwt.keys()).toEqual([expect.not.stringContaining(first[0]!), first[0]]);
    expect([refresh.keys(), dataKey.keys()]).toEqual([other, data]);
    expect(secretsOf({}).JWT_SECRET).toEqual(jwt.keys());
    expect(statSync(file()).mode & 0o777).toBe(0o600);

    const second = jwt.keys()[0];
    await replaceSecret(join(folder, 'data'), 'JWT_SECRET', new Date(Date.now() - 1));
    jwt.refresh();
    expect(jwt.keys()).toEqual([expect.not.stringContaining(second!), first[0]]);
    expect(readFileSync(file(), 'utf8')).not.toContain(second);

    await replaceSecret(join(folder, 'data'), 'JWT_SECRET', 'refused');
    jwt.refresh();
    expect(jwt.keys()).toHaveLength(1);
    expect(readFileSync(file(), 'utf8')).not.toContain(first[0]);
  });

  test('stay what they were in a process whose file is removed or damaged', () => {
    const { jwt } = load({}).secrets;
    const first = [...jwt.keys()];
    for (const damage of [
      () => writeFileSync(file(), '{}'),
      () => writeFileSync(file(), '{"J'),
      () => rmSync(file()),
    ]) {
      damage();
      jwt.refresh();
      expect(jwt.keys()).toEqual(first);
    }
  });

  test('are replaced by two commands at the same time one after the other, so that none is lost', async () => {
    const [first] = load({}).secrets.jwt.keys();
    const until = new Date(Date.now() + 60_000);
    await Promise.all([1, 2, 3].map(() => replaceSecret(join(folder, 'data'), 'JWT_SECRET', until)));
    const all = secretsOf({}).JWT_SECRET;
    expect(new Set(all).size).toBe(4);
    expect(all.at(-1)).toBe(first);
  });

  test('are not generated again beside data that the old ones encrypted', () => {
    load({});
    mkdirSync(join(folder, 'data', 'postgres'));
    rmSync(file());
    expect(messageOf(() => load({}))).toContain('DATA_KEY is not set');
  });

  test('that cannot be read are not replaced', () => {
    load({});
    writeFileSync(file(), '{"JWT_SECRET": "h');
    expect(messageOf(() => load({}))).toContain("secrets.json contains ReelStream's secrets and cannot be read");
    expect(readFileSync(file(), 'utf8')).toBe('{"JWT_SECRET": "h');
  });

  test('must all be set in production with DATABASE_URL', () => {
    expect(messageOf(() => load({ NODE_ENV: 'production', DATABASE_URL }))).toMatch(
      /^JWT_SECRET, REFRESH_SECRET, DATA_KEY must be set/,
    );
    expect(load({ NODE_ENV: 'production' }).secrets.dataKey.keys()[0]).toHaveLength(32);
    expect(
      messageOf(() =>
        load({ NODE_ENV: 'production', DATABASE_URL, JWT_SECRET: 'short', REFRESH_SECRET: key(), DATA_KEY: key() }),
      ),
    ).toContain('JWT_SECRET must have at least 32 characters');
  });
});

describe('docker-compose.yml', () => {
  const text = readFileSync(new URL('../../docker-compose.yml', import.meta.url), 'utf8');
  const compose = parse(text, { merge: true }) as {
    'x-environment': object;
    services: { api: { environment: object } };
  };
  /** The image sets these itself, or they name folders inside the containers. */
  const setByTheImage = ['HOST', 'DATA_DIR', 'FFMPEG_PATH', 'FFPROBE_PATH'];

  test('lets every variable through to the roles', () => {
    const given = Object.keys(compose.services.api.environment);
    expect(given.toSorted()).toEqual(
      Object.keys(variables)
        .filter((name) => !setByTheImage.includes(name))
        .toSorted(),
    );
  });

  test('asks for nothing that .env.example does not name', () => {
    const asked = new Set([...text.matchAll(/\$\{([A-Z_]+)/g)].map(([, name]) => name!));
    const named = [...Object.keys(variables), ...Object.keys(composeVariables)];
    expect([...asked].filter((name) => !named.includes(name))).toEqual([]);
  });
});

describe('the examples', () => {
  test.each(Object.entries(variables))('of %s is a good value', (_, { schema, example }) => {
    const commandInstead = /^<openssl rand -base64 32>$/.test(example);
    expect(schema.safeParse(commandInstead ? key() : example)).toMatchObject({ success: true });
  });
});

describe('.env.example', () => {
  const text = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');

  test('is what envExample() writes', () => {
    expect(text).toBe(envExample());
  });

  test('names every variable once, and sets none', () => {
    expect([...text.matchAll(/^#([A-Z_]+)=/gm)].map(([, name]) => name)).toEqual([
      ...Object.keys(variables),
      ...Object.keys(composeVariables),
    ]);
    expect(text).not.toMatch(/^[^#\n]/m);
  });
});

function messageOf(start: () => unknown): string {
  try {
    start();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}
