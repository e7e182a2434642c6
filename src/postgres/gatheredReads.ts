import DataLoader from 'dataloader';
import { createMembers } from '../core/members.ts';

/** The most look-ups in one read: it must not hold many others back. */
const MOST_TOGETHER = 100;

/** A read that takes longer than this no longer holds back the next one (ms). */
const SLOW_AFTER_MS = 20;

export interface GatherOptions {
  /** How many reads may be under way before questions wait. Default: 1. */
  readonly atOnce?: number;
}

/**
 * Turns single look-ups into shared reads, because most of what a look-up costs, here and in PostgreSQL, is the query around it.
 * While a read is under way (or `atOnce` of them), the questions that are asked meanwhile are gathered and become the next read. So
 * a read always begins after the call that it answers, and shows what the caller knows to have happened; nothing is cached.
 *
 * `read` gets the questions of at most 100 callers, and returns an answer for each, in their order. When it fails, all of
 * these callers get its error.
 */
export function gatherReads<Question, Answer>(
  read: (questions: readonly Question[]) => Promise<readonly Answer[]>,
  { atOnce = 1 }: GatherOptions = {},
): (question: Question) => Promise<Answer> {
  const underWay = createMembers<Promise<void>>();

  function readAll(questions: readonly Question[]): Promise<readonly Answer[]> {
    const result = read(questions);
    const end = (): void => leave();
    const leave = underWay.add(result.then(end, end));
    return result;
  }

  const loader = new DataLoader(readAll, {
    cache: false,
    maxBatchSize: MOST_TOGETHER,
    batchScheduleFn: (dispatch) => {
      // The first read also answers what is asked for in the same turn of the event loop.
      if (underWay.size < atOnce) return void setImmediate(dispatch);
      const { promise: mayBegin, resolve: begin } = Promise.withResolvers<void>();
      const slow = setTimeout(begin, SLOW_AFTER_MS);
      void Promise.race(underWay.all()).then(begin);
      void mayBegin.then(() => {
        clearTimeout(slow);
        dispatch();
      });
    },
  });
  return (question) => loader.load(question);
}

/** The same for rows that are looked up by a key, such as an id. A key that several callers ask for is read once. */
export function gatherLookUps<Row>(
  read: (keys: readonly string[]) => Promise<ReadonlyMap<string, Row>>,
  options?: GatherOptions,
): (key: string) => Promise<Row | undefined> {
  return gatherReads(async (keys) => {
    const rows = await read([...new Set(keys)]);
    return keys.map((key) => rows.get(key));
  }, options);
}
