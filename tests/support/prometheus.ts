import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { RULES_FILE } from './dashboards.ts';
import { eventually } from './eventually.ts';
import { freePorts } from './freePorts.ts';

/** Where a job finds its processes: `host:port`. */
export type Targets = Readonly<Record<string, readonly string[]>>;

export interface Prometheus extends AsyncDisposable {
  /** Evaluates PromQL now. Returns the values that are numbers. @throws when Prometheus refuses the query. */
  query(promql: string): Promise<number[]>;
}

interface Config {
  readonly scrape_configs: readonly { readonly job_name: string }[];
}

/** Starts Prometheus with our configuration, on these targets. It scrapes every second. */
export async function startPrometheus(program: string, targets: Targets): Promise<Prometheus> {
  const folder = await mkdtemp(join(tmpdir(), 'reelstream-prometheus-'));
  const config = parse(await readFile(new URL('../../prometheus.yml', import.meta.url), 'utf8')) as Config;
  const scraped = config.scrape_configs.flatMap(({ job_name: job }) =>
    targets[job] === undefined ? [] : [{ job_name: job, static_configs: [{ targets: targets[job] }] }],
  );
  const file = join(folder, 'prometheus.yml');
  await writeFile(
    file,
    stringify({
      ...config,
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: [RULES_FILE],
      scrape_configs: scraped,
    }),
  );
  const [port] = await freePorts(1);
  const child = spawn(
    program,
    [`--config.file=${file}`, `--storage.tsdb.path=${folder}/data`, `--web.listen-address=127.0.0.1:${port}`],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  const url = `http://127.0.0.1:${port}`;
  const dispose = async (): Promise<void> => {
    if (child.exitCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await eventually(async () => (await fetch(`${url}/-/ready`)).ok, {
      what: 'Prometheus is ready',
      within: 30_000,
      giveUp: () => child.exitCode !== null,
    });
  } catch (cause) {
    await dispose();
    throw new Error(`Prometheus did not start:\n${log}`, { cause });
  }
  return {
    async query(promql) {
      const response = await fetch(`${url}/api/v1/query`, {
        method: 'POST',
        body: new URLSearchParams({ query: promql }),
      });
      const { status, error, data } = (await response.json()) as {
        status: string;
        error?: string;
        data?: { result: { value: [number, string] }[] };
      };
      if (status !== 'success') throw new Error(`${promql}: ${error}`);
      return data!.result.map(({ value: [, text] }) => Number(text)).filter((value) => Number.isFinite(value));
    },
    [Symbol.asyncDispose]: dispose,
  };
}
