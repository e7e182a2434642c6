import type pg from 'pg';
import { v7 } from 'uuid';
import { pause } from '../../core/abortable.ts';
import { DomainError } from '../../core/errors.ts';
import type { Consumer } from '../consumer.ts';
import type { ReadDiscarded } from '../parking/discarded.ts';
import { isRebuilding } from '../rebuilding/exclusively.ts';
import { CannotRollBack, namedVariant, requireKept } from '../rebuilding/rollback.ts';
import { checkpointsInPlace } from '../status.ts';
import { projectionOverview, type OverviewOptions, type ProjectionOverview } from './overview.ts';
import { isOpen, OPERATION, OPERATIONS, readOperation, type Operation, type OperationKind } from './operation.ts';

const LOOK_AGAIN_MS = 100;

/** Operations on projections, for those who ask. A process with the projector role does them (`operationsRunner.ts`). */
export interface Operations {
  /**
   * Asks for an operation. A verification that is already open is answered instead of a second one.
   * @throws DomainError `projection_unknown`, `rebuild_under_way`, `rollback_under_way`, `nothing_to_roll_back`,
   * `rollback_not_possible`, `other_settings`
   */
  ask(kind: OperationKind, projection: string, by: string): Promise<Operation>;
  /**
   * Asks to cancel the rebuild that is open. One that has begun is cancelled by the process that does it.
   * @throws DomainError `projection_unknown`, `no_rebuild`
   */
  cancelRebuild(projection: string): Promise<Operation>;
  /** Waits until it is done, failed or cancelled, or until the time has passed. Returns its state then. */
  untilClosed(operation: Operation, options: { timeoutMs: number; signal?: AbortSignal }): Promise<Operation>;
  list(): Promise<ProjectionOverview[]>;
  /** @throws DomainError `projection_unknown` */
  show(projection: string): Promise<ProjectionOverview>;
}

export interface OperationsOptions extends OverviewOptions {
  readonly consumers: readonly Consumer[];
  readonly logId: () => Promise<string | null>;
  readonly discarded: ReadDiscarded;
}

export function createOperations(options: OperationsOptions): Operations {
  const { pool, consumers, logId, discarded } = options;

  async function readOpenOf(projection: string, kind: OperationKind): Promise<Operation | undefined> {
    const { rows } = await pool.query<Operation>(
      `select ${OPERATION} from ${OPERATIONS}
       where projection = $1 and (kind = 'verify') = $2 and state in ('waiting', 'running')`,
      [projection, kind === 'verify'],
    );
    return rows[0];
  }

  async function add(
    kind: OperationKind,
    { name, version, variant }: Consumer,
    by: string,
  ): Promise<Operation | undefined> {
    const { rows } = await pool.query<Operation>(
      `insert into ${OPERATIONS} (id, projection, kind, version, variant, asked_by) values ($1, $2, $3, $4, $5, $6)
       on conflict do nothing returning ${OPERATION}`,
      [v7(), name, kind, version, variant, by],
    );
    return rows[0];
  }

  return {
    async ask(kind, projection, by) {
      const consumer = knownConsumer(consumers, projection);
      for (;;) {
        const open = await readOpenOf(projection, kind);
        if (open !== undefined) {
          if (kind === 'verify') return open;
          throw underWay(open);
        }
        // A raised version is built by itself at the start, without an operation.
        if (kind !== 'verify' && (await isRebuilding(pool, projection)))
          throw underWay({ projection, kind: 'rebuild' });
        if (kind === 'rebuild') await requireSameSettings(pool, consumer);
        if (kind === 'rollback') await requireKept({ pool, consumer, logId, discarded }).catch(refuse);
        const added = await add(kind, consumer, by);
        if (added !== undefined) return added;
      }
    },

    async cancelRebuild(projection) {
      knownConsumer(consumers, projection);
      const { rows } = await pool.query<Operation>(
        `update ${OPERATIONS} set cancel_asked = true,
           state = case state when 'waiting' then 'cancelled' else state end,
           ended_at = case state when 'waiting' then now() end
         where projection = $1 and kind = 'rebuild' and state in ('waiting', 'running') returning ${OPERATION}`,
        [projection],
      );
      if (rows[0] !== undefined) return rows[0];
      throw new DomainError(
        'conflict',
        'no_rebuild',
        (await isRebuilding(pool, projection))
          ? `The tables of ${projection} are being built for a new version of the program. That cannot be cancelled.`
          : `No rebuild of ${projection} is under way. Nothing needs to be cancelled.`,
      );
    },

    async untilClosed(operation, { timeoutMs, signal }) {
      const end = performance.now() + timeoutMs;
      let found = operation;
      while (isOpen(found) && performance.now() < end && signal?.aborted !== true) {
        await pause(LOOK_AGAIN_MS, signal);
        found = await readOperation(pool, operation.id);
      }
      return found;
    },

    async list() {
      const found: ProjectionOverview[] = [];
      for (const consumer of consumers) found.push(await projectionOverview(options, consumer));
      return found;
    },
    show: async (projection) => projectionOverview(options, knownConsumer(consumers, projection)),
  };
}

/** @throws DomainError `projection_unknown` */
export function knownConsumer(consumers: readonly Consumer[], name: string): Consumer {
  const found = consumers.find((consumer) => consumer.name === name);
  if (found !== undefined) return found;
  const names = consumers.map((consumer) => consumer.name).join(', ');
  throw new DomainError(
    'notFound',
    'projection_unknown',
    `There is no projection "${name}". The projections are ${names}.`,
  );
}

/**
 * Rows under other settings would stop the processes that keep those in place up to date.
 * @throws DomainError `other_settings`
 */
async function requireSameSettings(pool: pg.Pool, { name, version, variant }: Consumer): Promise<void> {
  const [inPlace] = await checkpointsInPlace(pool, name);
  if (inPlace?.version !== version || inPlace.variant === variant) return;
  throw new DomainError(
    'conflict',
    'other_settings',
    `The tables of ${name} in place were made under other settings (${namedVariant(inPlace.variant)}) than those of this program (${namedVariant(variant)}). Use the settings of the running processes. A start under other settings rebuilds ${name} by itself.`,
  );
}

function underWay({ id, projection, kind }: Pick<Operation, 'projection' | 'kind'> & { id?: string }): DomainError {
  return new DomainError(
    'conflict',
    `${kind}_under_way`,
    `A ${kind} of ${projection} is under way${id === undefined ? '' : ` (${id})`}. Wait until it has ended${kind === 'rebuild' && id !== undefined ? ', or cancel it' : ''}.`,
  );
}

/** Who asks gets the reason at once. */
function refuse(error: unknown): never {
  if (!(error instanceof CannotRollBack)) throw error;
  throw new DomainError(
    'conflict',
    error.reason === 'nothing_kept' ? 'nothing_to_roll_back' : 'rollback_not_possible',
    error.message,
    { cause: error },
  );
}
