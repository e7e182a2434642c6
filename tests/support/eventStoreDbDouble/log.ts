/** An event as the server stores it. */
export interface StoredEvent {
  readonly id: string;
  readonly stream: string;
  readonly revision: bigint;
  readonly type: string;
  readonly contentType: string;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
  /**
   * Offset of its record in the log, in bytes. Reads and subscriptions give it as commit position and as prepare
   * position: an event appended over gRPC commits itself. Source: `CalculatePosition` in ResolvedEvent.cs.
   */
  readonly position: bigint;
  readonly created: Date;
}

export type ProposedEvent = Pick<StoredEvent, 'id' | 'type' | 'contentType' | 'data' | 'metadata'>;

export type Expected = 'any' | 'noStream' | 'streamExists' | bigint;

export type AppendOutcome =
  | { readonly kind: 'success'; readonly revision: bigint; readonly position: bigint }
  | { readonly kind: 'wrongExpectedVersion'; readonly current: bigint | undefined }
  /**
   * A repeat of an append that is not indexed yet. The server gives no answer to it. Source: `IdempotentNotReady` in
   * StorageWriterService.cs.
   */
  | { readonly kind: 'notReady' };

/** The server's log, with the rules by which it accepts appends. */
export interface DoubleLog {
  /** The events that readers can see: those that are indexed. */
  readonly events: readonly StoredEvent[];
  append(stream: string, events: readonly ProposedEvent[], expected: Expected): AppendOutcome;
  /** The events of a stream that readers can see. */
  stream(name: string): readonly StoredEvent[];
  /** The last revision written. It may not be indexed yet. */
  lastRevision(stream: string): bigint | undefined;
  /** Calls back whenever readers can see more events. Returns a function that stops it. */
  onAppend(listener: () => void): () => void;
  /** From now on appends are written but not indexed. An append is acknowledged only when it is indexed. */
  holdIndex(): void;
  /** Indexes everything that is written. */
  releaseIndex(): void;
  /** Resolves once everything up to a position is indexed. */
  indexed(position: bigint): Promise<void>;
  /** Forgets the ids of recent events, as a restart does. */
  forgetRecentIds(): void;
  /** Moves the end of the log forward, as if so many bytes had been written that no reader sees. */
  skipBytes(bytes: bigint): void;
}

/** About the size of a record's header and checksums. */
const RECORD_OVERHEAD = 100;

/** Memory for the ids of recent events. Source: `CommittedEventsMemCacheLimit` in ESConsts.cs. */
const ID_MEMORY_BYTES = 8 * 1_024 * 1_024;

/**
 * The bytes that the server counts for one id: id, revision, a pointer, and the stream's name in UTF-16. Source:
 * IndexWriter.cs.
 */
function idBytes(stream: string): number {
  return 16 + 4 + 8 + 2 * stream.length;
}

/** `idMemoryBytes`: when the ids take more, the oldest are forgotten; 0 forgets each at once. */
export function createDoubleLog({ idMemoryBytes = ID_MEMORY_BYTES } = {}): DoubleLog {
  const events: StoredEvent[] = [];
  const streams = new Map<string, StoredEvent[]>();
  /** Written but not indexed yet. */
  let unindexed: StoredEvent[] = [];
  let holding = false;
  const lastRevisions = new Map<string, bigint>();
  const recent = new Map<string, StoredEvent>();
  let recentBytes = 0;
  const listeners = new Set<() => void>();
  let onIndexed = Promise.withResolvers<void>();
  let end = 0n;

  function write(stream: string, proposed: readonly ProposedEvent[]): StoredEvent {
    const created = new Date();
    let stored: StoredEvent | undefined;
    for (const event of proposed) {
      stored = { ...event, stream, revision: (lastRevisions.get(stream) ?? -1n) + 1n, position: end, created };
      unindexed.push(stored);
      lastRevisions.set(stream, stored.revision);
      remember(stored);
      end += BigInt(RECORD_OVERHEAD + event.data.length + event.metadata.length);
    }
    if (!holding) index();
    return stored!;
  }

  function remember(stored: StoredEvent): void {
    recent.set(stored.id.toLowerCase(), stored);
    recentBytes += idBytes(stored.stream);
    for (const [id, { stream }] of recent) {
      if (recentBytes <= idMemoryBytes) break;
      recent.delete(id);
      recentBytes -= idBytes(stream);
    }
  }

  function index(): void {
    for (const stored of unindexed) {
      events.push(stored);
      streams.set(stored.stream, streams.get(stored.stream) ?? []);
      streams.get(stored.stream)!.push(stored);
    }
    unindexed = [];
    for (const listener of listeners) listener();
    onIndexed.resolve();
    onIndexed = Promise.withResolvers();
  }

  /**
   * The last event of the same append, if it is in the log already. With an expected version, the server checks the
   * events at that place; with `any`, it knows only the ids in its memory. Source: `CheckCommit` in IndexWriter.cs.
   */
  function repeated(
    stream: string,
    proposed: readonly ProposedEvent[],
    expected: Expected,
  ): StoredEvent | 'partly' | undefined {
    const first = expected === 'noStream' ? 0n : typeof expected === 'bigint' ? expected + 1n : undefined;
    const found = proposed.map(({ id }, n) => {
      const remembered = recent.get(id.toLowerCase());
      if (first === undefined) return remembered?.stream === stream ? remembered : undefined;
      const revision = first + BigInt(n);
      if (remembered?.stream === stream && remembered.revision === revision) return remembered;
      const stored = streams.get(stream)?.[Number(revision)];
      return stored?.id.toLowerCase() === id.toLowerCase() ? stored : undefined;
    });
    if (found[0] === undefined) return undefined;
    return found.includes(undefined) ? 'partly' : found.at(-1);
  }

  function append(stream: string, proposed: readonly ProposedEvent[], expected: Expected): AppendOutcome {
    const last = lastRevisions.get(stream);
    const wrong: AppendOutcome = { kind: 'wrongExpectedVersion', current: last };
    if (expected === 'streamExists' && last === undefined) return wrong;
    const current = last ?? -1n;
    const wanted = expected === 'noStream' ? -1n : expected;
    const anywhere = wanted === 'any' || wanted === 'streamExists';
    if (anywhere || wanted < current) {
      const repeat = repeated(stream, proposed, expected);
      if (repeat === 'partly' || (repeat === undefined && !anywhere)) return wrong;
      if (repeat !== undefined && unindexed.includes(repeat)) return { kind: 'notReady' };
      if (repeat !== undefined) return { kind: 'success', revision: repeat.revision, position: repeat.position };
    } else if (wanted > current) {
      return wrong;
    }
    const stored = write(stream, proposed);
    return { kind: 'success', revision: stored.revision, position: stored.position };
  }

  // A new server writes events of its own before any client does.
  write('$users', [
    {
      id: crypto.randomUUID(),
      type: '$User',
      contentType: 'application/json',
      data: Buffer.from('{}'),
      metadata: Buffer.from(''),
    },
  ]);

  return {
    events,
    append,
    stream: (name) => streams.get(name) ?? [],
    lastRevision: (stream) => lastRevisions.get(stream),
    onAppend: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    holdIndex: () => {
      holding = true;
    },
    releaseIndex: () => {
      holding = false;
      index();
    },
    indexed: async (position) => {
      while (unindexed.some((event) => event.position <= position)) await onIndexed.promise;
    },
    forgetRecentIds: () => {
      recent.clear();
      recentBytes = 0;
    },
    skipBytes: (bytes) => {
      end += bytes;
    },
  };
}
