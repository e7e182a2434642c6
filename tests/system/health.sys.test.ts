import { afterAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { downIn, readHealth, readHealthWithout } from '../support/readHealth.ts';
import { profile } from '../support/system.ts';
import { openFaultyConnections, type FaultyConnections, type FaultyEngine } from '../support/systemFaults.ts';
import type { Role } from '../support/systemProcess.ts';
import { useSystem } from '../support/useSystem.ts';

/** Milliseconds in which /health must answer, whatever hangs. */
const LONGEST_MS = 2_000;

interface Expected {
  readonly role: Exclude<Role, 'serve'>;
  readonly status: number;
  readonly down: readonly string[];
}

const consequences: Readonly<Record<FaultyEngine, readonly Expected[]>> = {
  redis: [{ role: 'api', status: 200, down: ['redis'] }],
  minio: [{ role: 'api', status: 200, down: ['objectStore'] }],
  kafka: [
    { role: 'relay', status: 200, down: ['kafka relay'] },
    { role: 'projector', status: 200, down: ['kafka projections'] },
    { role: 'media', status: 200, down: ['kafka media'] },
  ],
  postgres: [
    { role: 'api', status: 503, down: ['postgres', 'eventStore'] },
    { role: 'projector', status: 503, down: ['postgres', 'eventStore'] },
    { role: 'media', status: 503, down: ['postgres', 'eventStore'] },
  ],
};

function hangingEngines(): void {
  let faulty: FaultyConnections | undefined;
  const { system, systemTest } = useSystem({
    ofEach: 1,
    environment: async (engines) => {
      faulty = await openFaultyConnections(engines);
      return faulty.environment;
    },
  });
  afterAll(async () => {
    await faulty?.[Symbol.asyncDispose]();
  });

  for (const [engine, expected] of Object.entries(consequences) as [FaultyEngine, readonly Expected[]][]) {
    systemTest(
      `${engine} hanging: each process that works with it says so within two seconds, and that it is up again`,
      async () => {
        const urlOf = (role: Expected['role']): string => system().playing(role)[0]!.url;
        const everythingIsUp = async (): Promise<void> => {
          for (const { role } of expected)
            await eventually(async () => downIn(await readHealth(urlOf(role))), {
              within: 60_000,
              what: `every part of ${role} is up`,
              holds: (down) => down.length === 0,
            });
        };
        await everythingIsUp();
        const connection = faulty!.connections[engine];
        connection.hang();
        try {
          for (const { role, status, down } of expected) {
            const health = await readHealthWithout(urlOf(role), down);
            expect([role, health.status]).toEqual([role, status]);
            expect(health.took).toBeLessThan(LONGEST_MS);
          }
        } finally {
          connection.cut();
          connection.restore();
        }
        await everythingIsUp();
      },
      120_000,
    );
  }
}

if (profile === 'cluster') describe('/health while an engine hangs', hangingEngines);
else
  test.skip('/health while an engine hangs: only in the cluster profile; tests/health.sys.test.ts has the embedded parts', () =>
    undefined);
