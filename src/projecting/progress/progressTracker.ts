import { partitionOf } from '../../core/partitions.ts';
import { createMembers, type Members } from '../../core/members.ts';
import type { ProjectionCommit, ProjectionProgress, ProjectionState } from '../../core/projectionProgress.ts';

/** How far one consumer is in one of its partitions. */
export interface PartitionMoved {
  readonly projection: string;
  readonly partition: number;
  readonly partitions: number;
  readonly position: bigint;
  /** Of the tables in place. Older programs do not report it. */
  readonly version?: number | undefined;
  /** Of the rows in place; `''` when it is missing. */
  readonly variant?: string | undefined;
  /** Whether rows changed. */
  readonly changed: boolean;
  /** The position counts although it may be less than the one reported before. */
  readonly regressed?: boolean;
}

/** A projection as this program declares it. */
export interface DeclaredProjection {
  readonly name: string;
  readonly version: number;
  /** The configuration that its rows depend on; `''` when it is missing. */
  readonly variant?: string;
}

/** The part of progress that needs no database: the positions last reported, and the calls that wait for more. */
export interface ProgressTracker extends ProjectionProgress {
  moved(move: PartitionMoved): void;
  /** Whether a call of `waitFor` has waited for this many milliseconds, and still waits. */
  isAwaitedSince(ms: number): boolean;
  /** Whether there are listeners to commits. */
  readonly watched: boolean;
}

interface Waiter {
  readonly since: number;
  readonly position: bigint;
  readonly stream: string | undefined;
  readonly resolve: (passed: boolean) => void;
}

/** A projection that is not among the `declared` is always `current`. */
export function createProgressTracker(declared: readonly DeclaredProjection[] = []): ProgressTracker {
  const declarations = new Map(declared.map(({ name, version, variant = '' }) => [name, { version, variant }]));
  const placed = new Map<string, { readonly version: number; readonly variant: string }>();
  const positions = new Map<string, bigint[]>();
  const waiters = new Map<string, Members<Waiter>>();
  const listeners = new Set<(commit: ProjectionCommit) => void>();

  function position(projection: string): bigint {
    const known = positions.get(projection) ?? [];
    return known.reduce((least, one) => (one < least ? one : least), known[0] ?? 0n);
  }

  function hasPassed(projection: string, wanted: bigint, stream: string | undefined): boolean {
    const known = positions.get(projection);
    if (known === undefined) return wanted <= 0n;
    return (stream === undefined ? position(projection) : known[partitionOf(stream, known.length)]!) >= wanted;
  }

  function state(projection: string): ProjectionState {
    const wanted = declarations.get(projection);
    if (wanted === undefined) return 'current';
    const inPlace = placed.get(projection);
    if (inPlace === undefined || inPlace.version < wanted.version) return 'rebuilding';
    if (inPlace.version > wanted.version) return 'newer';
    return inPlace.variant === wanted.variant ? 'current' : 'rebuilding';
  }

  return {
    position,
    positions: (projection) => [...(positions.get(projection) ?? [])],
    state,
    waitFor(projection, wanted, { timeoutMs, stream, signal }) {
      if (hasPassed(projection, wanted, stream)) return Promise.resolve(true);
      if (signal?.aborted === true || state(projection) === 'rebuilding') return Promise.resolve(false);
      return new Promise((resolve) => {
        const waiting = waiters.get(projection) ?? createMembers<Waiter>();
        waiters.set(projection, waiting);
        const settle = (passed: boolean): void => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', giveUp);
          leave();
          resolve(passed);
        };
        const giveUp = (): void => settle(false);
        const timer = setTimeout(giveUp, timeoutMs);
        signal?.addEventListener('abort', giveUp, { once: true });
        const leave = waiting.add({ since: performance.now(), position: wanted, stream, resolve: settle });
      });
    },
    onCommit(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    moved({ projection, partition, partitions, position: reached, version, variant = '', changed, regressed = false }) {
      if (version !== undefined) placed.set(projection, { version, variant });
      let known = positions.get(projection);
      // A new layout begins with all its partitions at one position.
      if (known?.length !== partitions) positions.set(projection, (known = Array<bigint>(partitions).fill(-1n)));
      if (reached <= known[partition]! && !regressed) return;
      known[partition] = reached;
      for (const waiter of waiters.get(projection)?.all() ?? [])
        if (hasPassed(projection, waiter.position, waiter.stream)) waiter.resolve(true);
      if (changed) for (const listener of listeners) listener({ projection, position: position(projection) });
    },
    isAwaitedSince(ms) {
      const begun = performance.now() - ms;
      return [...waiters.values()].some((waiting) => (waiting.first?.since ?? Infinity) <= begun);
    },
    get watched() {
      return listeners.size > 0;
    },
  };
}
