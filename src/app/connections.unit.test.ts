import { expect, test } from '@jest/globals';
import { fc } from '../../tests/support/property.ts';
import type { Config, Role } from '../config/config.ts';
import { variables } from '../config/configVariables.ts';
import { connectionsOf, connectionsOfCommand, type Connections } from './connections.ts';

const kafka: Config['kafka'] = { brokers: ['kafka:9092'], topic: 'events', partitions: 6 };
const cluster = { kafka, eventStoreUrl: undefined };
const embedded = { kafka: undefined, eventStoreUrl: undefined };
const sum = (connections: Connections): number => Object.values(connections).reduce((all, each) => all + each, 0);

/** What `serve` needs with Kafka; it has every pool. */
const LEAST_OF_ALL = 27;
const least: [Role, number][] = [
  ['api', 7],
  ['projector', 20],
  ['media', 12],
  ['relay', 9],
  ['serve', LEAST_OF_ALL],
];

test.each(least)('%s needs %i connections, as the description of the variable says', (role, number) => {
  expect(sum(connectionsOf({ ...cluster, databaseConnections: number }, [role]))).toBe(number);
  expect(() => connectionsOf({ ...cluster, databaseConnections: number - 1 }, [role])).toThrow(
    `DATABASE_CONNECTIONS must be at least ${number} for "${role}", not ${number - 1}: queries 3, keys 1, log 3`,
  );
  expect(variables.DATABASE_CONNECTIONS.meaning).toContain(`${number} for ${role}`);
});

test('a process never opens more than it may, and each of its pools gets what it needs', () => {
  const roles = fc.constantFrom<Role>('serve', 'api', 'projector', 'media', 'relay');
  const settings = fc.constantFrom(cluster, embedded, { ...cluster, eventStoreUrl: 'esdb://log' });
  fc.assert(
    fc.property(roles, settings, fc.integer({ min: LEAST_OF_ALL, max: 100 }), (role, of, databaseConnections) => {
      const connections = connectionsOf({ ...of, databaseConnections }, [role]);
      const more = connectionsOf({ ...of, databaseConnections: databaseConnections + 1 }, [role]);
      expect(sum(connections)).toBeLessThanOrEqual(databaseConnections);
      for (const [name, number] of Object.entries(connections)) {
        expect(number).toBeGreaterThanOrEqual(1);
        expect(more[name]).toBeGreaterThanOrEqual(number);
      }
    }),
  );
});

test('the default is as many as any process can use', () => {
  const byDefault = variables.DATABASE_CONNECTIONS.schema.parse(undefined);
  const unlimited = connectionsOf({ ...cluster, databaseConnections: 1_000 }, ['serve']);
  expect(connectionsOf({ ...cluster, databaseConnections: byDefault }, ['serve'])).toEqual(unlimited);
});

test('a command works with the settings of any role', () => {
  expect(connectionsOfCommand({ ...cluster, databaseConnections: 7 })).toEqual({ queries: 3, keys: 1, log: 3 });
});
