import { LRUCache } from 'lru-cache';
import type { Appended } from '../../core/appended.ts';
import type { CommandContext } from '../../core/commandContext.ts';
import { handleCommand, toNewEvents } from '../../core/commandHandler.ts';
import type { NewEvent } from '../../core/event.ts';
import { resultOf, type CommandStore } from '../../core/commandStore.ts';
import { RevisionConflict } from '../../core/eventStore.ts';
import { readState, type StreamState } from '../../core/readState.ts';
import { likeDecider, likeStream, type LikeCommand, type LikeState } from './decider.ts';
import { likeEventTypes, type LikeEvent } from './events.ts';

const types = Object.keys(likeEventTypes);

export interface LikeOutcome extends LikeState, Appended {
  /** What this command did to the video's number of likes: -1, 0 or 1. */
  readonly change: number;
}

/** Handles commands on likes; those on one pair of video and user take effect one after the other. */
export interface LikeCommands {
  handle(command: LikeCommand, context: CommandContext): Promise<LikeOutcome>;
}

export interface LikeCommandsOptions {
  readonly store: CommandStore;
  /** Number of pairs whose last state is remembered, so that their next toggle needs no read; 50 000 by default. */
  readonly mostPairs?: number;
}

/** A pair's stream when it was last read. It may have grown since: an append at its revision then meets a conflict. */
type Pair = StreamState<LikeState>;

interface Waiting {
  readonly command: LikeCommand;
  readonly context: CommandContext;
  readonly resolve: (outcome: LikeOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/** A group of commands gives up after so many conflicts. Each means that another process was faster. */
const MOST_ATTEMPTS = 10;
const MOST_TOGETHER = 100;
const NO_STREAM: Pair = { state: likeDecider.initialState, revision: undefined, position: 0n };

/**
 * Commands on the same pair that come in while an append is under way are decided together, each on the state that the
 * one before it left, and appended in one go: many toggles of one pair cost no more than toggles of many pairs. That is
 * why each pair has a queue of its own here, and no p-queue, which runs its tasks one by one.
 */
export function createLikeCommands({ store, mostPairs = 50_000 }: LikeCommandsOptions): LikeCommands {
  const known = new LRUCache<string, Pair>({ max: mostPairs });
  const queues = new Map<string, Waiting[]>();

  async function work(stream: string, queue: Waiting[]): Promise<void> {
    while (queue.length > 0) {
      const alone = queue.findIndex(({ context }) => context.idempotencyKey !== undefined);
      const group = queue.splice(0, alone === 0 ? 1 : Math.min(alone === -1 ? MOST_TOGETHER : alone, MOST_TOGETHER));
      try {
        const outcomes = alone === 0 ? [await handleRepeatable(stream, group[0]!)] : await handleGroup(stream, group);
        group.forEach(({ resolve }, index) => resolve(outcomes[index]!));
      } catch (error) {
        known.delete(stream);
        for (const { reject } of group) reject(error);
      }
    }
    queues.delete(stream);
  }

  /** A command with an idempotency key may already be in the stream, so the whole stream is read. */
  async function handleRepeatable(stream: string, { command, context }: Waiting): Promise<LikeOutcome> {
    const { state, events, revision, position } = await handleCommand(store, likeDecider, stream, command, context);
    known.set(stream, { state, revision, position });
    return { ...state, change: changeOf(events[0]), stream, position, types };
  }

  async function handleGroup(stream: string, group: readonly Waiting[]): Promise<LikeOutcome[]> {
    for (let attempt = 1; ; attempt++) {
      const since = known.get(stream);
      // The append meets a conflict when this is not the stream's last state. Most pairs have no stream yet.
      const assumed = attempt === 1 ? decideAll(stream, group, since ?? NO_STREAM) : undefined;
      const { pair, decided, events } =
        assumed !== undefined && assumed.events.length > 0
          ? assumed
          : // Only the stream itself can tell that the commands have nothing to do.
            decideAll(stream, group, await readState(store, likeDecider, stream, { since }));
      try {
        const place = events.length > 0 ? await store.append(stream, events, pair.revision ?? 'none') : {};
        const last = { ...pair, ...place };
        known.set(stream, last);
        countCommands(group, decided);
        return decided.map((outcome) => ({ ...outcome, stream, position: last.position, types }));
      } catch (error) {
        if (!(error instanceof RevisionConflict) || attempt === MOST_ATTEMPTS) {
          for (const { command } of group) store.onCommand?.(command.type, resultOf(error));
          throw error;
        }
        known.delete(stream);
      }
    }
  }

  function countCommands(group: readonly Waiting[], decided: Decided['decided']): void {
    if (store.onCommand === undefined) return;
    for (const [index, { change }] of decided.entries())
      store.onCommand(group[index]!.command.type, change === 0 ? 'unchanged' : 'accepted');
  }

  return {
    handle(command, context) {
      const { promise, resolve, reject } = Promise.withResolvers<LikeOutcome>();
      const stream = likeStream(command.videoId, command.userId);
      const waiting = { command, context, resolve, reject };
      const queue = queues.get(stream);
      if (queue !== undefined) {
        queue.push(waiting);
      } else {
        const started = [waiting];
        queues.set(stream, started);
        void work(stream, started);
      }
      return promise;
    },
  };
}

interface Decided {
  /** The state after the commands, at the revision before them. */
  readonly pair: Pair;
  readonly decided: readonly (LikeState & { readonly change: number })[];
  readonly events: readonly NewEvent[];
}

/** Decides each command on the state that the one before it left. */
function decideAll(stream: string, group: readonly Waiting[], before: Pair): Decided {
  let { state } = before;
  const decided: (LikeState & { change: number })[] = [];
  const events: NewEvent[] = [];
  for (const { command, context } of group) {
    const [event] = likeDecider.decide(command, state) as [LikeEvent?];
    if (event !== undefined) {
      events.push(...toNewEvents([event], stream, context));
      state = likeDecider.evolve(state, event);
    }
    decided.push({ ...state, change: changeOf(event) });
  }
  return { pair: { ...before, state }, decided, events };
}

function changeOf(event: LikeEvent | undefined): number {
  if (event === undefined) return 0;
  return event.type === 'VideoLiked' ? 1 : -1;
}
