import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createLogger, loggerOutput } from './logger.ts';
import { validTraceparent } from './traceparent.ts';
import { noTracing, startTracing } from './tracing.ts';

describe('the logger', () => {
  test('writes JSON lines with level, time and role, and no secret', () => {
    const lines: string[] = [];
    const logger = createLogger({
      level: 'info',
      role: 'api',
      destination: { write: (line) => void lines.push(line) },
    });
    logger.info(
      {
        password: 'hush1',
        user: { email: 'hush2', passwordHash: 'hush3' },
        req: { headers: { authorization: 'hush4', cookie: 'hush5' } },
        token: 'hush6',
      },
      'hello',
    );
    logger.debug('not written');
    const [line = '{}'] = lines;
    expect(lines).toHaveLength(1);
    expect(line).not.toContain('hush');
    expect(JSON.parse(line)).toMatchObject({
      level: 'info',
      role: 'api',
      msg: 'hello',
      time: expect.stringMatching(/^\d{4}-.*Z$/),
    });
  });

  test('does not write a password that Redis refused', () => {
    const lines: string[] = [];
    const logger = createLogger({
      level: 'info',
      role: 'api',
      destination: { write: (line) => void lines.push(line) },
    });
    logger.info(
      { err: Object.assign(new Error('WRONGPASS'), { command: { name: 'auth', args: ['ada', 'hush'] } }) },
      'refused',
    );
    expect(lines.join()).toContain('WRONGPASS');
    expect(lines.join()).not.toContain('hush');
  });
});

describe('where the logger of a role writes to', () => {
  const { isTTY } = process.stdout;
  afterEach(() => {
    process.stdout.isTTY = isTTY;
  });

  test.each([
    { terminal: true, format: undefined, pretty: true },
    { terminal: false, format: undefined, pretty: false },
    { terminal: true, format: 'json', pretty: false },
    { terminal: false, format: 'pretty', pretty: true },
  ] as const)('terminal: $terminal, LOG_FORMAT: $format', async ({ terminal, format, pretty }) => {
    process.stdout.isTTY = terminal;
    expect((await loggerOutput(format)) !== undefined).toBe(pretty);
  });
});

test('lines for people are complete when the process exits, and have no secret', async () => {
  const program = `
    import { createLogger, loggerOutput } from '${import.meta.dirname}/logger.ts';
    const logger = createLogger({ level: 'info', role: 'api', destination: await loggerOutput('pretty') });
    logger.info({ route: '/api/v1/video', token: 'hush' }, 'request');
    process.exit();`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
  expect(stdout).toMatch(
    /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: request \{"route":"\/api\/v1\/video","token":"\[redacted\]"\}\n$/,
  );
});

describe('a traceparent of a client', () => {
  const good = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  test.each([good, `cc${good.slice(2)}-of-a-later-version`])('is taken as it is: %p', async (header) =>
    expect(await validTraceparent(header)).toBe(header),
  );
  test.each([
    undefined,
    '',
    'x',
    `${good}-more`,
    `ff${good.slice(2)}`,
    good.toUpperCase(),
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`,
  ])('is ignored when it is not valid: %p', async (header) => expect(await validTraceparent(header)).toBeUndefined());
});

test('without an endpoint, nothing is traced and the work is done', async () => {
  const tracing = await startTracing({ enabled: false, service: 'test', clients: ['pg'] });
  expect(tracing).toBe(noTracing);
  expect(tracing.span('work', { kind: 'internal' }, () => [tracing.traceparent()])).toEqual([undefined]);
  const ask = (): Iterable<string> => {
    throw new Error('asked for the parents of a span that is not made');
  };
  expect(tracing.continued('work', { kind: 'internal' }, ask, () => 'done')).toBe('done');
});
