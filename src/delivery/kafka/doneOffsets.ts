interface Mark {
  /** The offset to begin at when everything up to `position` is done. */
  readonly next: bigint;
  readonly position: bigint;
}

/** Which offsets of a topic may be committed: those whose events the consumers have finished. */
export interface DoneOffsets {
  add(partition: number, mark: Mark): void;
  /** The last mark of each partition that is done. Each mark is taken once. */
  takeDone(done: (partition: number) => bigint | undefined): { partition: number; next: bigint }[];
}

const MOST_MARKS = 1_000;

export function createDoneOffsets(): DoneOffsets {
  const marks = new Map<number, Mark[]>();
  return {
    add(partition, mark) {
      const list = marks.get(partition) ?? [];
      list.push(mark);
      // Every other mark is enough. The list must not fill the memory while a consumer is held up for days.
      marks.set(partition, list.length > MOST_MARKS ? list.filter((_, index) => index % 2 === 1) : list);
    },
    takeDone(done) {
      const taken: { partition: number; next: bigint }[] = [];
      for (const [partition, list] of marks) {
        const position = done(partition) ?? -1n;
        const undone = list.findIndex((mark) => mark.position > position);
        const count = undone === -1 ? list.length : undone;
        if (count === 0) continue;
        taken.push({ partition, next: list[count - 1]!.next });
        marks.set(partition, list.slice(count));
      }
      return taken;
    },
  };
}
