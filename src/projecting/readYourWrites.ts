import type { Appended } from '../core/appended.ts';
import { DomainError } from '../core/errors.ts';
import type { ProjectionProgress } from '../core/projectionProgress.ts';
import { projectionRebuilding } from './projectionRebuilding.ts';

/** What is asked of a read model: that its rows show all up to `minPosition`. */
export interface FreshnessDemand {
  /** From `X-Min-Position`. */
  readonly minPosition: bigint;
  readonly signal: AbortSignal;
}

/**
 * Makes a client see its own changes: its queries wait for what it has seen, and the answers to its commands wait for
 * the read models that show them.
 */
export interface ReadYourWrites {
  /**
   * Resolves once the projections have passed the position.
   * @throws DomainError `projection_behind` after two seconds, `projection_rebuilding` at once while one of them is being
   * rebuilt; the reason of the signal when it aborts.
   */
  untilFresh(projections: readonly ProjectionName[], demand: FreshnessDemand): Promise<void>;
  /**
   * Whether every projection that handles events of the command shows it, except those that are not `awaited`. Waits for
   * that, two seconds at most. With
   * `only`, whether those of them do. Never throws because of the signal: the command is done.
   */
  isShown(
    appended: Appended,
    options?: { readonly signal?: AbortSignal; readonly only?: readonly ProjectionName[] },
  ): Promise<boolean>;
}

/** A projection, by its declaration: a name that is misspelt does not compile. */
export interface ProjectionName {
  readonly name: string;
}

export interface ReadYourWritesOptions {
  readonly projections: readonly (ProjectionName & { readonly handles: readonly string[]; readonly awaited?: false })[];
  readonly progress: Pick<ProjectionProgress, 'waitFor' | 'state'>;
}

/** The longest that a request waits for a read model. */
const LONGEST_WAIT_MS = 2_000;

export function createReadYourWrites({ projections, progress }: ReadYourWritesOptions): ReadYourWrites {
  const namesOfType = new Map<string, Set<string>>();
  for (const { name, handles, awaited } of projections) {
    if (awaited === false) continue;
    for (const type of handles) namesOfType.set(type, (namesOfType.get(type) ?? new Set()).add(name));
  }

  return {
    async untilFresh(wanted, { minPosition, signal }) {
      const waits = wanted.map(({ name }) =>
        progress.waitFor(name, minPosition, { timeoutMs: LONGEST_WAIT_MS, signal }),
      );
      const passed = await Promise.all(waits);
      if (!passed.includes(false)) return;
      signal.throwIfAborted();
      if (wanted.some(({ name }, n) => !passed[n] && progress.state(name) === 'rebuilding'))
        throw projectionRebuilding();
      throw new DomainError(
        'unavailable',
        'projection_behind',
        'This view has not caught up with that position yet; try again.',
        { retryAfter: 1 },
      );
    },

    async isShown({ stream, position, types }, { signal, only } = {}) {
      const names = new Set(types.flatMap((type) => [...(namesOfType.get(type) ?? [])]));
      const wanted = only === undefined ? [...names] : only.map(({ name }) => name).filter((name) => names.has(name));
      const options = { timeoutMs: LONGEST_WAIT_MS, stream, ...(signal && { signal }) };
      try {
        const passed = await Promise.all(wanted.map((name) => progress.waitFor(name, position, options)));
        return !passed.includes(false);
      } catch (error) {
        if (signal?.aborted === true) return false;
        throw error;
      }
    },
  };
}
