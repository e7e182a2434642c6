/** What a client asks of the server. */
export type Call = 'append' | 'read' | 'subscribe';

/**
 * - `hang`: takes the request and never answers; `hangAfterwards`: does what was asked, and never answers
 * - `drop`: breaks the call off with code 14; `dropAfterwards`: so, once it has done what was asked (a read: after three events)
 * - `end`: ends the call as if all were well, without an answer; `endAfterwards`: so, once it has done what was asked
 * - `busy`: says that it is too busy
 * - `notReady`, `noLeader`: says so with code 14 or 2, as a node does during an election
 * - `denied`: says that the user may not do this
 * - `conflict`: says that the expected version was wrong, whatever it was
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
  /** What the next calls of a kind meet with. */
  plan(call: Call, fault: Fault, times?: number): void;
  /** From now on everything goes well. */
  clear(): void;
  /** Counts a call and says how it is to go wrong, if it is. */
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
