import { afterEach, describe, expect, test } from '@jest/globals';
import { createLogger, loggerOutput } from './logger.ts';
import { createMetrics } from './metrics.ts';
import { showParkedEvents } from './parkedEvents.ts';
import { showProjectionLag } from './projectionLag.ts';
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

describe('metrics', () => {
  test('have the names and help texts of the original server, and more beside them', async () => {
    const metrics = createMetrics();
    metrics.request('GET', 200, 0.05);
    metrics.request('GET', 200, 0.15);
    metrics.request('POST', 201, 7);
    metrics.eventsAppended.inc({ category: 'like' }, 3);
    const text = await metrics.registry.metrics();
    for (const line of [
      '# HELP api_requests_total Total number of API requests',
      '# TYPE api_requests_total counter',
      'api_requests_total{method="GET",status_code="200"} 2',
      'api_requests_total{method="POST",status_code="201"} 1',
      '# HELP api_response_duration_seconds API response duration in seconds',
      '# TYPE api_response_duration_seconds histogram',
      'api_response_duration_seconds_bucket{le="0.1"} 1',
      'api_response_duration_seconds_bucket{le="0.2"} 2',
      'api_response_duration_seconds_bucket{le="0.5"} 2',
      'api_response_duration_seconds_bucket{le="1"} 2',
      'api_response_duration_seconds_bucket{le="2"} 2',
      'api_response_duration_seconds_bucket{le="5"} 2',
      'api_response_duration_seconds_bucket{le="+Inf"} 3',
      'api_response_duration_seconds_count 3',
      'reelstream_events_appended_total{category="like"} 3',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
  });
});

describe('the lag of projections', () => {
  const lagOf = async (head: () => Promise<bigint>): Promise<string> => {
    const metrics = createMetrics();
    const positions: Record<string, bigint> = { videos: 40n, likes: 43n };
    showProjectionLag({
      metrics,
      store: { head },
      progress: { position: (name) => positions[name] ?? 0n },
      projections: ['videos', 'likes'],
    });
    return await metrics.registry.metrics();
  };

  test('is the distance of each of them to the head of the log', async () => {
    const lines = (await lagOf(() => Promise.resolve(42n))).split('\n');
    expect(lines).toContain('reelstream_projection_lag_events{projection="videos"} 2');
    expect(lines).toContain('reelstream_projection_lag_events{projection="likes"} 0');
  });

  test.each([
    ['is unavailable', () => Promise.reject(new Error('unavailable'))],
    ['hangs', () => new Promise<bigint>(() => undefined)],
  ])('is not shown while the log %s; everything else is', async (_what, head) => {
    const text = await lagOf(head);
    expect(text).not.toContain('reelstream_projection_lag_events{');
    expect(text).toContain('process_cpu_seconds_total');
  });
});

describe('parked events', () => {
  const parkedOf = async (count: (consumer: string) => Promise<number>): Promise<string[]> => {
    const metrics = createMetrics();
    showParkedEvents({ metrics, consumers: ['videos', 'likes', 'media_process_manager'], count });
    const text = await metrics.registry.metrics();
    return text.split('\n').filter((line) => line.startsWith('reelstream_parked_events{'));
  };
  const counted = ['reelstream_parked_events{consumer="videos"} 2'];

  test('are shown for each consumer of the process', async () => {
    expect(await parkedOf((consumer) => Promise.resolve(consumer === 'videos' ? 2 : 0))).toEqual([
      ...counted,
      'reelstream_parked_events{consumer="likes"} 0',
      'reelstream_parked_events{consumer="media_process_manager"} 0',
    ]);
  });

  test.each([
    ['is unavailable', () => Promise.reject(new Error('unavailable'))],
    ['hangs', () => new Promise<number>(() => undefined)],
  ])('are not shown while the database %s', async (_what, fail) => {
    expect(await parkedOf((consumer) => (consumer === 'videos' ? Promise.resolve(2) : fail()))).toEqual(counted);
  });
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
