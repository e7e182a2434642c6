export interface View {
  readonly videoId: string;
  /** A user's id, or else an address. */
  readonly viewer: string;
}

const MINUTE = 60_000;
/** Views that come in within this time are written together (ms). */
const PAUSE = 10;

/** Counts one view of each viewer, video and minute, behind the answers and in batches. */
export function createViewCounter(addViews: (...columns: readonly unknown[][]) => Promise<unknown>) {
  let counted = new Set<string>();
  let minute = 0;
  let waiting: (View & { at: Date })[] = [];
  let writing = false;

  async function write(): Promise<void> {
    writing = true;
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      await addViews(
        batch.map(({ videoId }) => videoId),
        batch.map(({ viewer }) => viewer),
        batch.map(({ at }) => Math.floor(at.getTime() / MINUTE)),
        batch.map(({ at }) => at),
      );
    }
    writing = false;
  }

  return (view: View): void => {
    const now = Date.now();
    if (Math.floor(now / MINUTE) !== minute) [minute, counted] = [Math.floor(now / MINUTE), new Set()];
    const key = `${view.videoId} ${view.viewer}`;
    if (counted.has(key)) return;
    counted.add(key);
    waiting.push({ ...view, at: new Date(now) });
    if (!writing && waiting.length === 1) setTimeout(() => void write(), PAUSE);
  };
}
