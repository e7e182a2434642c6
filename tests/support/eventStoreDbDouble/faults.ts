/** The calls of a client. */
export type Call = 'append' | 'read' | 'subscribe';

/**
 * - `hang`: takes the request and never answers; `hangAfterwards`: does the work and never answers
 * - `drop`: breaks the call with code 14; `dropAfterwards`: does the work first (of a read: three events)
 * - `end`: ends a subscription without an error; `endAfterwards`: ends a read without an error after three events
 * - `busy`: answers that the server is too busy
 * - `notReady`, `noLeader`: answers so with code 14 or 2, as a node does during an election
 * - `denied`: answers that the user lacks the permission
 * - `conflict`: answers that the expected version was wrong, even if it was right
 */
export type Fault =
  | 'hang'
  | 'hangAfterwards'
  | 'drop'
  | 'dropAfterwards'
  | 'end'
  | 'endAfterwards'
  | 'busy'
  | 'notReady'
  | 'noLeader'
  | 'denied'
  | 'conflict';

export interface Faults {
  /** Calls of each kind so far. */
  readonly calls: Readonly<Record<Call, number>>;
  /** Plans a fault for the next calls of a kind. */
  plan(call: Call, fault: Fault, times?: number): void;
  /** Drops all planned faults. */
  clear(): void;
  /** Counts a call and answers the fault planned for it. */
  next(call: Call): Fault | undefined;
}

export function createFaults(): Faults {
  const calls = { append: 0, read: 0, subscribe: 0 };
  let planned: { call: Call; fault: Fault; times: number }[] = [];
  return {
    calls,
    plan: (call, fault, times = 1) => {
      planned.push({ call, fault, times });
    },
    clear: () => {
      planned = [];
    },
    next: (call) => {
      calls[call]++;
      const plan = planned.find((candidate) => candidate.call === call && candidate.times > 0);
      if (plan === undefined) return undefined;
      plan.times--;
      return plan.fault;
    },
  };
}
