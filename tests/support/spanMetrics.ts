import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { eventually } from './eventually.ts';
import { freePorts } from './freePorts.ts';

/** A collector that makes metrics of spans, as in docker-compose.yml. */
export interface SpanMetrics extends AsyncDisposable {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly endpoint: string;
  /** `host:port` for Prometheus. */
  readonly target: string;
}

type Section = Record<string, Record<string, unknown>>;

/** Starts the collector with our configuration. It keeps no traces. */
export async function startSpanMetrics(program: string): Promise<SpanMetrics> {
  const folder = await mkdtemp(join(tmpdir(), 'reelstream-collector-'));
  const config = parse(await readFile(new URL('../../otel-collector.yaml', import.meta.url), 'utf8')) as {
    connectors: Section;
    service: { pipelines: Section };
  };
  const [otlp, metrics] = await freePorts(2);
  const { 'traces/measured': measured, metrics: shown } = config.service.pipelines;
  const file = join(folder, 'collector.yaml');
  await writeFile(
    file,
    stringify({
      ...config,
      receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${otlp}` } } } },
      connectors: { spanmetrics: { ...config.connectors['spanmetrics'], metrics_flush_interval: '1s' } },
      exporters: { prometheus: { endpoint: `127.0.0.1:${metrics}` } },
      extensions: {},
      service: {
        pipelines: { 'traces/measured': measured, metrics: shown },
        telemetry: { metrics: { level: 'none' } },
      },
    }),
  );
  const child = spawn(program, ['--config', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  const dispose = async (): Promise<void> => {
    if (child.exitCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
    await rm(folder, { recursive: true, force: true });
  };
  const target = `127.0.0.1:${metrics}`;
  try {
    await eventually(async () => (await fetch(`http://${target}/metrics`)).ok, {
      what: 'the collector answers',
      within: 30_000,
      giveUp: () => child.exitCode !== null,
    });
  } catch (cause) {
    await dispose();
    throw new Error(`the collector did not start:\n${log}`, { cause });
  }
  return { endpoint: `http://127.0.0.1:${otlp}`, target, [Symbol.asyncDispose]: dispose };
}
