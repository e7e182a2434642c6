import { afterAll, beforeAll, expect } from '@jest/globals';
import { clip } from '../support/clips.ts';
import { metricsIn, needsKafka, panelQueries, ruleQueries, type MonitoringQuery } from '../support/dashboards.ts';
import { describeWith } from '../support/describeWith.ts';
import { eventually } from '../support/eventually.ts';
import { startSpanMetrics, type SpanMetrics } from '../support/spanMetrics.ts';
import { startPrometheus, type Prometheus, type Targets } from '../support/prometheus.ts';
import { call, getVideo, newPeople, setLike, upload, uploaded, type Person } from '../support/systemClient.ts';
import { profile } from '../support/system.ts';
import { connect } from '../support/systemSockets.ts';
import { useSystem } from '../support/useSystem.ts';

/** `PROMETHEUS` names the program; `OTELCOL` that of the collector, without which panels about spans are left out. */
describeWith(
  'PROMETHEUS',
  'every query of the dashboards and alerts, on a Prometheus that scrapes a loaded system',
  (program) => {
    const collector = process.env['OTELCOL'];
    if (collector === undefined) process.stderr.write('SKIPPED, because OTELCOL is not set: panels about spans\n');
    let spans: SpanMetrics | undefined;
    let prometheus: Prometheus;
    const { system, systemTest } = useSystem({
      ofEach: 1,
      environment: async (): Promise<Record<string, string>> => {
        if (collector === undefined) return {};
        spans = await startSpanMetrics(collector);
        return { OTEL_EXPORTER_OTLP_ENDPOINT: spans.endpoint };
      },
    });
    let people: Person[];
    let plain: string;
    let videoId: string;
    beforeAll(async () => {
      prometheus = await startPrometheus(program, targets());
      plain = await clip('plain');
      people = await newPeople(3, () => system().api());
      videoId = (await uploaded(system().api(), people[0]!.token, plain)).id;
    }, 120_000);
    afterAll(async () => {
      await prometheus?.[Symbol.asyncDispose]();
      await spans?.[Symbol.asyncDispose]();
    });

    function targets(): Targets {
      const jobs = Map.groupBy(system().processes, ({ role }) => (role === 'serve' ? 'api' : role));
      const found = [...jobs].map(([job, processes]) => [job, processes.map(({ url }) => new URL(url).host)] as const);
      return { ...Object.fromEntries(found), ...(spans && { spans: [spans.target] }) };
    }

    const isShownHere = ({ expr }: MonitoringQuery): boolean =>
      (profile === 'cluster' || !metricsIn(expr).some(needsKafka)) &&
      (spans !== undefined || !expr.includes('traces_span'));

    /** What an alert compares with its limit. No attempt of a job is repeated here. */
    const compared = ({ title, expr }: MonitoringQuery): MonitoringQuery => ({
      title,
      expr: expr
        .trim()
        .replace(/ (==|>) [\d.]+$/, '')
        .replace('{outcome="retried"}', ''),
    });

    /** Does a little of everything. */
    async function load(round: number): Promise<void> {
      const api = system().api();
      const [owner] = people as [Person];
      for (const [index, { token }] of people.entries()) {
        await setLike(api, videoId, token);
        await call(api, 'DELETE', `/api/v1/video/${videoId}/like`, { token });
        await getVideo(api, videoId, index === 0 ? {} : { token });
        await call(api, 'GET', '/api/v1/video');
      }
      // A command that changes nothing, one that is refused, and an address that does not exist.
      await call(api, 'DELETE', `/api/v1/video/${videoId}/like`, { token: owner.token });
      await call(api, 'PATCH', `/api/v1/video/${videoId}`, { token: people[1]!.token, json: { title: 'Not mine' } });
      await fetch(`${api}/nowhere`);
      const socket = await connect(api, owner.token);
      await socket.timeout(30_000).emitWithAck('subscribe', { topics: ['feed', `video:${videoId}`], since: '0' });
      await setLike(api, videoId, owner.token);
      await call(api, 'DELETE', `/api/v1/video/${videoId}/like`, { token: owner.token });
      socket.disconnect();
      if (round % 5 === 0) await upload(api, owner.token, plain);
    }

    systemTest(
      'has an answer for every panel, every recorded rule, and what every alert compares',
      async () => {
        const wanted = [...panelQueries(), ...ruleQueries().map(compared)].filter(isShownHere);
        expect(wanted.length).toBeGreaterThan(70);
        let round = 0;
        let empty: readonly MonitoringQuery[] = wanted;
        await eventually(
          async () => {
            await load(round++);
            const answers = await Promise.all(empty.map(({ expr }) => prometheus.query(expr)));
            empty = empty.filter((_, index) => answers[index]!.length === 0);
            return empty;
          },
          { within: 120_000, what: 'every query has an answer', holds: (left) => left.length === 0 },
        );
        // Nothing is wrong in this system, so no alert fires.
        expect(await prometheus.query('ALERTS{alertstate="firing"}')).toEqual([]);
      },
      150_000,
    );
  },
);
