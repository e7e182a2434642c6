import type { z } from 'zod';
import { isOpen, type Operation } from '../../projecting/operations/operation.ts';
import { isUpgrading, type ProjectionOverview } from '../../projecting/operations/overview.ts';
import type { operationSchema, projectionSchema, verificationSchema } from './projectionSchemas.ts';

export function operationView(operation: Operation): z.infer<typeof operationSchema> {
  const { id, kind, state, askedAt, askedBy, startedAt, endedAt, progress, error } = operation;
  return {
    id,
    kind,
    state,
    askedAt: askedAt.toISOString(),
    askedBy,
    startedAt: startedAt && startedAt.toISOString(),
    endedAt: endedAt && endedAt.toISOString(),
    progress: isOpen(operation) ? progress : null,
    error,
  };
}

export function projectionView(overview: ProjectionOverview): z.infer<typeof projectionSchema> {
  const { name, version, declaredVersion, position, head, state, parkedEvents, rebuild, kept } = overview;
  const { lastRebuild, lastRollback, lastVerification } = overview;
  return {
    name,
    version: version ?? null,
    declaredVersion,
    variant: overview.variant ?? null,
    position: String(position),
    head: String(head),
    lag: { events: overview.lagEvents, seconds: overview.lagSeconds },
    state,
    parkedEvents,
    tables: [...overview.tables],
    rebuild: lastRebuild === undefined ? null : operationView(lastRebuild),
    upgrade:
      isUpgrading(overview) && rebuild !== undefined
        ? { position: String(rebuild.position), rate: rebuild.rate, secondsLeft: rebuild.timeLeft }
        : null,
    rollback: lastRollback === undefined ? null : operationView(lastRollback),
    verification:
      lastVerification === undefined
        ? null
        : { ...operationView(lastVerification), result: verificationView(lastVerification.result) },
    kept:
      kept === undefined
        ? null
        : { version: kept.version, position: String(kept.position), until: kept.until.toISOString() },
  };
}

/** Without the name of the projection, which the answer has already. */
function verificationView(result: unknown): z.infer<typeof verificationSchema> | null {
  if (result === null || result === undefined) return null;
  const { position, identical, tables } = result as z.infer<typeof verificationSchema>;
  return { position, identical, tables };
}
