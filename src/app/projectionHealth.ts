import type pg from 'pg';
import type { ProjectionProgress } from '../core/projectionProgress.ts';
import { projections } from '../features/index.ts';
import { ComponentDown, type HealthCheck } from '../http/server/health.ts';
import type { Consumer } from '../projecting/consumer.ts';
import type { Projector } from '../projecting/projector.ts';
import { countParked } from '../projecting/status.ts';

/**
 * One check for each consumer of this process. It is down while the consumer fails to apply events, and while events are
 * parked, because its rows lack them. It is not down during a rebuild or with a newer version in place: queries are
 * answered.
 */
export function consumerChecks(
  projector: Pick<Projector, 'states'>,
  pool: pg.Pool,
  consumers: readonly Consumer[],
): HealthCheck[] {
  return consumers.map(({ name, fingerprint }) => ({
    name: `${fingerprint === undefined ? 'subscriber' : 'projection'} ${name}`,
    required: false,
    async check() {
      const state = projector.states()[name]!;
      const parkedEvents = await countParked(pool, name);
      const details = { state, ...(parkedEvents > 0 && { parkedEvents }) };
      if (state === 'failing') throw new ComponentDown(`${name} fails to apply events; the log says why`, details);
      if (parkedEvents > 0) throw new ComponentDown(`${name} has ${parkedEvents} parked events`, details);
      return details;
    },
  }));
}

/** For a process that answers queries: which projections are current, and which are being rebuilt in any process. */
export function readModelsCheck(progress: Pick<ProjectionProgress, 'state'>): HealthCheck {
  return {
    name: 'read models',
    required: false,
    check: () => Promise.resolve(Object.fromEntries(projections.map(({ name }) => [name, progress.state(name)]))),
  };
}

/** Whether a query may fail because the table or column that it asks for is not in place yet. */
export function isAnyRebuilding(progress: Pick<ProjectionProgress, 'state'>): boolean {
  return projections.some(({ name }) => progress.state(name) !== 'current');
}
