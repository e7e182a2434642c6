import type { LimitFunction } from 'p-limit';
import { createLogId } from '../core/logId.ts';
import { eventTypes } from '../features/index.ts';
import { discardedEvents } from '../features/operators/index.ts';
import { decodeFor } from '../projecting/decoding.ts';
import { createOperations, type Operations } from '../projecting/operations/operations.ts';
import { createOperationsRunner } from '../projecting/operations/operationsRunner.ts';
import { rebuildPositions } from '../projecting/status.ts';
import { showRebuildProgress } from '../telemetry/rebuildProgress.ts';
import { openPool } from './eventLog.ts';
import type { Process } from './process.ts';
import type { Services } from './services.ts';

/** For processes that are asked. */
export function openOperations({ config, readModels }: Process, { pool, rawStore, store }: Services): Operations {
  return createOperations({
    pool,
    store: rawStore,
    consumers: readModels,
    logId: createLogId(rawStore),
    discarded: discardedEvents(store),
    keepHours: config.rebuildKeepHours,
  });
}

/** For processes with the role `projector`: does what was asked for. */
export function startOperations(running: Process, services: Services, rebuilds: LimitFunction): void {
  const { config, logger, metrics, readModels, parts } = running;
  const { rawStore, store, codec, progress } = services;
  const runner = createOperationsRunner({
    // Comparing large tables takes long.
    pool: openPool(running, services, 'operations'),
    store: rawStore,
    decode: decodeFor(eventTypes, codec),
    discarded: discardedEvents(store),
    logId: createLogId(rawStore),
    consumers: readModels,
    rebuilds,
    keepHours: config.rebuildKeepHours,
    logger,
    // Answers from the replaced tables leave the caches at once.
    onReplaced: ({ name: projection, version, variant }, checkpoints) =>
      checkpoints.forEach(({ partition, partitions, position }) =>
        progress.moved({
          projection,
          partition,
          partitions,
          position,
          version,
          variant,
          changed: true,
          regressed: true,
        }),
      ),
  });
  const names = readModels.map(({ name }) => name);
  showRebuildProgress({
    metrics,
    store: rawStore,
    projections: names,
    positions: () => rebuildPositions(services.pool, names),
  });
  parts.defer(() => runner.stop());
  runner.start();
}
