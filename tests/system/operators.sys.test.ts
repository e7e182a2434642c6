import { beforeAll, expect } from '@jest/globals';
import type { SystemReport } from '../../src/features/operators/index.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { eventually } from '../support/eventually.ts';
import { clip } from '../support/clips.ts';
import { call, newPerson, uploaded, type Person } from '../support/systemClient.ts';
import { useSystem } from '../support/useSystem.ts';

const { system, systemTest } = useSystem({ environment: { ADMIN_EMAILS: 'grace@example.com' } });
let admin: Person;
beforeAll(async () => {
  admin = await newPerson(system().api(), { email: 'grace@example.com' });
}, 120_000);

const report = async (): Promise<SystemReport> =>
  (await call<SystemReport>(system().api(), 'GET', '/api/v1/admin/system', { token: admin.token })).data;
const seen = async (state: 'alive' | 'lost'): Promise<[role: string, pid: number][]> =>
  (await report()).processes.filter((each) => each.state === state).map(({ role, pid }) => [role, pid]);
const running = (): [role: string, pid: number][] => system().processes.map(({ role, pid }) => [role, pid!]);
/** As if a process had given its last sign of life so many seconds earlier. */
async function noSignOfLife(pid: number, seconds: number): Promise<void> {
  const pool = createPool({ connectionString: await system().processes[0]!.databaseUrl(), name: 'test', max: 1 });
  await pool.query(
    'update reelstream.processes set last_seen_at = last_seen_at - make_interval(secs => $2) where pid = $1',
    [pid, seconds],
  );
  await pool.end();
}
const sorted = (list: [string, number][]): [string, number][] => list.toSorted(([, a], [, b]) => a - b);

systemTest('operators see every process and engine, and how large the log is', async () => {
  const isCluster = system().profile === 'cluster';
  const alive = await eventually(() => seen('alive'), {
    what: 'all processes are alive',
    holds: ({ length }) => length === system().processes.length,
  });
  expect(sorted(alive)).toEqual(sorted(running()));
  const { engines, log, databaseBytes } = await report();
  expect(engines).toMatchObject({
    runtime: { engine: 'Node.js' },
    database: { engine: 'PostgreSQL', version: expect.stringMatching(/^\d+/) },
    eventStore: { engine: 'PostgreSQL' },
    delivery: { engine: isCluster ? 'Kafka' : 'direct' },
    cache: isCluster ? { engine: 'Redis', version: expect.stringMatching(/^\d+/) } : { engine: 'memory' },
    objectStore: { engine: isCluster ? 'S3' : 'folder' },
    ffmpeg: { engine: 'FFmpeg', version: expect.any(String) },
  });
  expect(JSON.stringify(engines)).not.toMatch(/password|:\/\//);
  expect(BigInt(log.head)).toBeGreaterThan(0n);
  expect(log.events).toBe(Number(log.head));
  expect(databaseBytes).toBeGreaterThan(1_000_000);
});

systemTest(
  'a process that is killed is shown as lost, and one that is stopped is not shown',
  async () => {
    const killed = system().playing('media').at(-1)!;
    const before = killed.pid;
    await killed.end('SIGKILL');
    await killed.start();
    await noSignOfLife(before!, 15);
    await eventually(() => seen('lost'), {
      what: 'the killed process is lost',
      holds: (lost) => lost.some(([, pid]) => pid === before),
    });
    const stopped = killed.pid;
    expect(await killed.end('SIGTERM')).toBe(0);
    await killed.start();
    const all = await eventually(() => report(), {
      what: 'the new process is alive',
      holds: ({ processes }) => processes.some(({ pid, state }) => pid === killed.pid && state === 'alive'),
    });
    expect(all.processes.map(({ pid }) => pid)).not.toContain(stopped);
  },
  120_000,
);

systemTest('an upload is a job that is done', async () => {
  const video = await uploaded(system().api(), admin.token, await clip('plain'));
  const [job] = await eventually(
    async () =>
      (
        await call<{ videoId: string; state: string; tookMs: number }[]>(
          system().api(),
          'GET',
          '/api/v1/admin/jobs?queue=process&state=done',
          { token: admin.token },
        )
      ).data.filter(({ videoId }) => videoId === video.id),
    { what: 'its job is done', holds: ({ length }) => length === 1 },
  );
  expect(job!.tookMs).toBeGreaterThan(0);
});
