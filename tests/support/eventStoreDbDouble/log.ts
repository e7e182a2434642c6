/** An event as the server keeps it. */
export interface StoredEvent {
  readonly id: string;
  readonly stream: string;
  readonly revision: bigint;
  readonly type: string;
  readonly contentType: string;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
  /** Place of its record in the log, in bytes: what the server calls its commit position. */
  readonly position: bigint;
  /** Position of the first event of the same append: what the server gives as the "prepare position" of reads. */
  readonly transactionPosition: bigint;
  readonly created: Date;
}

export type ProposedEvent = Pick<StoredEvent, 'id' | 'type' | 'contentType' | 'data' | 'metadata'>;

export type Expected = 'any' | 'noStream' | 'streamExists' | bigint;

export type AppendOutcome =
  | { readonly kind: 'success'; readonly revision: bigint; readonly position: bigint }
  | { readonly kind: 'wrongExpectedVersion'; readonly current: bigint | undefined };

/** The server's log, with the rules by which it takes appends. */
export interface DoubleLog {
  readonly events: readonly StoredEvent[];
  append(stream: string, events: readonly ProposedEvent[], expected: Expected): AppendOutcome;
  stream(name: string): readonly StoredEvent[];
  /** Calls back after each append. Answers how to stop. */
  onAppend(listener: () => void): () => void;
  /** Forgets the ids of recent events, as a restart does, or many other events. */
  forgetRecentIds(): void;
  /** As if so much had been written that nobody reads. */
  skipBytes(bytes: bigint): void;
}

/** Record header and checksums, about. */
const RECORD_OVERHEAD = 100;

/** `remembersIds`: whether it keeps the ids of recent events in memory, as a server that has not just restarted does. */
export function createDoubleLog({ remembersIds = true } = {}): DoubleLog {
  const events: StoredEvent[] = [];
  const streams = new Map<string, StoredEvent[]>();
  const recent = new Map<string, StoredEvent>();
  const listeners = new Set<() => void>();
  let end = 0n;

  function write(stream: string, proposed: readonly ProposedEvent[]): StoredEvent {
    const own = streams.get(stream) ?? [];
    streams.set(stream, own);
    const transactionPosition = end;
    const created = new Date();
    for (const event of proposed) {
      const stored = { ...event, stream, revision: BigInt(own.length), position: end, transactionPosition, created };
      own.push(stored);
      events.push(stored);
      if (remembersIds) recent.set(event.id.toLowerCase(), stored);
      end += BigInt(RECORD_OVERHEAD + event.data.length + event.metadata.length);
    }
    for (const listener of listeners) listener();
    return own.at(-1)!;
  }

  /**
   * Where the same append lies already. With an expected version the server looks at the very place; with `any` it
   * knows only the ids that it happens to have in memory. Source: IndexWriter.CheckCommit of EventStoreDB 20–24.
   */
  function repeated(stream: string, proposed: readonly ProposedEvent[], expected: Expected): StoredEvent | 'partly' | undefined {
    const own = streams.get(stream) ?? [];
    const first = expected === 'noStream' ? 0n : typeof expected === 'bigint' ? expected + 1n : undefined;
    const found = proposed.map(({ id }, index) => {
      const stored = first === undefined ? recent.get(id.toLowerCase()) : own[Number(first) + index];
      return stored?.stream === stream && stored.id.toLowerCase() === id.toLowerCase() ? stored : undefined;
    });
    if (found[0] === undefined) return undefined;
    return found.includes(undefined) ? 'partly' : found.at(-1);
  }

  function append(stream: string, proposed: readonly ProposedEvent[], expected: Expected): AppendOutcome {
    const last = streams.get(stream)?.at(-1);
    const wrong: AppendOutcome = { kind: 'wrongExpectedVersion', current: last?.revision };
    if (expected === 'streamExists' && last === undefined) return wrong;
    const current = last?.revision ?? -1n;
    const wanted = expected === 'noStream' ? -1n : expected;
    const anywhere = wanted === 'any' || wanted === 'streamExists';
    if (anywhere || wanted < current) {
      const repeat = repeated(stream, proposed, expected);
      if (repeat === 'partly' || (repeat === undefined && !anywhere)) return wrong;
      if (repeat !== undefined) return { kind: 'success', revision: repeat.revision, position: repeat.position };
    } else if (wanted > current) {
      return wrong;
    }
    const stored = write(stream, proposed);
    return { kind: 'success', revision: stored.revision, position: stored.position };
  }

  // A fresh server has written of its own accord before anyone else does.
  write('$users', [{ id: crypto.randomUUID(), type: '$User', contentType: 'application/json', data: Buffer.from('{}'), metadata: Buffer.from('') }]);

  return {
    events,
    append,
    stream: (name) => streams.get(name) ?? [],
    onAppend: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    forgetRecentIds: () => recent.clear(),
    skipBytes: (bytes) => {
      end += bytes;
    },
  };
}
