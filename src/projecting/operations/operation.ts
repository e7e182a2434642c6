import type pg from 'pg';

/** What an operator may ask of a projection. */
export type OperationKind = 'rebuild' | 'rollback' | 'verify';

/** `waiting`: no process has begun it. `running`: one has; after a crash, another one continues. The others are final. */
export type OperationState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';

export interface Operation {
  readonly id: string;
  readonly projection: string;
  readonly kind: OperationKind;
  /** Of the program that was asked. Only a program with this version and variant of the projection does it. */
  readonly version: number;
  readonly variant: string;
  readonly state: OperationState;
  readonly cancelAsked: boolean;
  readonly askedAt: Date;
  /** The id of the admin, or `command line`. */
  readonly askedBy: string;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly progress: OperationProgress | null;
  /** Of a verification that is done: what it found. */
  readonly result: unknown;
  /** Why it failed; while it is open, why the last attempt did. */
  readonly error: string | null;
}

/** Written once a second at most. */
export interface OperationProgress {
  readonly position: string;
  /** Where it ends. */
  readonly head: string;
  /** Events that were applied, over all runs. */
  readonly events: number;
  /** Positions per second. */
  readonly rate?: number | undefined;
  readonly secondsLeft?: number | undefined;
}

export const isOpen = ({ state }: Operation): boolean => state === 'waiting' || state === 'running';

/** The table's columns as an `Operation`. */
export const OPERATION = `id, projection, kind, version, variant, state, cancel_asked as "cancelAsked", asked_at as "askedAt",
  asked_by as "askedBy", started_at as "startedAt", ended_at as "endedAt", progress, result, error`;

export const OPERATIONS = 'reelstream.projection_operations';

export async function readOperation(pool: pg.Pool, id: string): Promise<Operation> {
  const { rows } = await pool.query<Operation>(`select ${OPERATION} from ${OPERATIONS} where id = $1`, [id]);
  if (rows[0] === undefined) throw new Error(`there is no operation ${id}`);
  return rows[0];
}

/** The oldest first. */
export async function readOpen(pool: pg.Pool): Promise<Operation[]> {
  const { rows } = await pool.query<Operation>(
    `select ${OPERATION} from ${OPERATIONS} where state in ('waiting', 'running') order by asked_at`,
  );
  return rows;
}
