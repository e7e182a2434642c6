import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { freePorts } from './freePorts.ts';
import { startSpanReceiver, type SpanReceiver } from './spanReceiver.ts';

/** Where a system sends its spans, and what arrives. */
export interface Collected extends AsyncDisposable, Pick<SpanReceiver, 'spans' | 'ofTrace'> {
  /** Settings of the system. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The OpenTelemetry Collector; undefined: the spans go straight to the test. */
export const collectorBinary = process.env['OTELCOL'];

/**
 * Collects the spans of a system. Where `OTELCOL` names the program, they go through a real OpenTelemetry Collector. @throws when
 * there is none and `REQUIRE_OTELCOL` is set
 */
export async function collectSpans(): Promise<Collected> {
  if (collectorBinary === undefined && process.env['REQUIRE_OTELCOL'])
    throw new Error('REQUIRE_OTELCOL is set, but OTELCOL does not name the OpenTelemetry Collector');
  await using parts = new AsyncDisposableStack();
  const receiver = parts.use(await startSpanReceiver());
  const { spans, ofTrace } = receiver;
  const sent = { OTEL_BSP_SCHEDULE_DELAY: '100' };
  let environment: Collected['environment'];
  if (collectorBinary === undefined) {
    process.stderr.write(
      'SKIPPED, because OTELCOL is not set: spans through a real OpenTelemetry Collector. They go straight to the test.\n',
    );
    environment = { ...sent, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' };
  } else {
    const collector = parts.use(await startCollector(collectorBinary, receiver.url));
    environment = { ...sent, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
  }
  const owned = parts.move();
  return { environment, spans, ofTrace, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function startCollector(binary: string, target: string): Promise<AsyncDisposable & { readonly url: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'reelstream-otelcol-'));
  const [port] = await freePorts(1);
  const config = join(folder, 'config.yaml');
  // Sends at once: no batch processor.
  await writeFile(
    config,
    `receivers: { otlp: { protocols: { http: { endpoint: 127.0.0.1:${port} } } } }
exporters: { otlphttp: { endpoint: "${target}", encoding: json, compression: none } }
service:
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [otlp], exporters: [otlphttp] } }
`,
  );
  const child = spawn(binary, ['--config', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = once(child, 'exit');
  const url = `http://127.0.0.1:${port}`;
  await eventually(async () => (await fetch(url)).status > 0, {
    what: 'the collector listens',
    giveUp: () => child.exitCode !== null,
  }).catch((cause: unknown) => {
    child.kill('SIGKILL');
    throw new Error(`the collector did not start:\n${said}`, { cause });
  });
  return {
    url,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
