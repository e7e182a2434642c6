import type pg from 'pg';
import { AppendRefused, RevisionConflict, type AppendResult } from '../../core/eventStore.ts';
import { queryWithTimeout } from '../../postgres/queryWithTimeout.ts';
import type { ArrayQueries } from '../../postgres/sharedConnection.ts';
import type { PreparedAppend } from '../preparedAppend.ts';

/** The outcome of one request of a batch. `repeated`: it was in the log before. */
export type Outcome = (AppendResult & { readonly repeated: boolean }) | RevisionConflict | AppendRefused;

export interface Written {
  /** In the order of the requests. */
  readonly outcomes: readonly Outcome[];
  /** When the events were recorded; undefined when there were none. */
  readonly time: Date | undefined;
}

/**
 * Writes a batch of independent appends in one transaction and one round trip. No two of them may share an event id.
 * An error concerns the whole batch: nothing was written or, when the connection broke, the outcome is unknown.
 */
export async function writeBatch(
  queries: ArrayQueries,
  requests: readonly PreparedAppend[],
  timeoutMs: number,
): Promise<Written> {
  const streams = [...new Set(requests.map(({ stream }) => stream))];
  const indexes = new Map(streams.map((stream, index) => [stream, index + 1]));
  const append = {
    name: 'append',
    // Lines instead of arrays, whose elements the driver would have to escape. Neither names nor JSON have line breaks.
    text: `select * from reelstream.append_events_hashed(string_to_array($1, e'\\n'), $2, $3, $4,
      string_to_array($5, e'\\n')::uuid[], string_to_array($6, e'\\n'), string_to_array($7, e'\\n')::json[],
      string_to_array($8, e'\\n')::json[], $9)`,
    values: [
      streams.join('\n'),
      integers(requests.map(({ stream }) => indexes.get(stream)!)),
      integers(requests.map(({ expected }) => (expected === 'any' ? -2 : expected === 'none' ? -1 : expected))),
      integers(requests.map(({ ids }) => ids.length)),
      lines(requests, ({ ids }) => ids),
      lines(requests, ({ types }) => types),
      lines(requests, ({ data }) => data),
      lines(requests, ({ metadata }) => metadata),
      Buffer.from(requests.flatMap(({ contents }) => contents).join(''), 'latin1'),
    ],
    rowMode: 'array' as const,
    types: plain,
  };
  const rows = await queryWithTimeout<Row>(queries, append, timeoutMs);
  const outcomes = requests.map(({ stream, expected }, index): Outcome => {
    const [outcome, revision, position] = rows[index]!;
    if (outcome === 'conflict') return new RevisionConflict(stream, expected, revision ?? undefined);
    if (outcome === 'taken') {
      return new AppendRefused(
        `the ids of an append to ${stream} are in the log already, but not all of them in this stream and in this order`,
      );
    }
    return { revision: revision!, position: BigInt(position!), repeated: outcome === 'repeated' };
  });
  const appended = rows.some(([outcome]) => outcome === 'appended');
  // All events of a batch have the same time.
  return { outcomes, time: appended ? new Date(rows.at(-1)![3]!) : undefined };
}

function lines(requests: readonly PreparedAppend[], of: (request: PreparedAppend) => readonly string[]): string {
  return requests.flatMap(of).join('\n');
}

/** As PostgreSQL reads an array of int. The driver would make, and escape, each element. */
function integers(values: readonly number[]): string {
  return `{${values.join(',')}}`;
}

/** One for each request, and one for the last event, when some were appended. */
type Row = [outcome: string, revision: number | null, position: string | null, recordedAt: string | null];

/** Numbers of up to 32 bits as numbers, everything else as text, whatever the pool's settings are. */
const INT4 = 23;
const plain: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number) => (oid === INT4 ? Number : String)) as pg.CustomTypesConfig['getTypeParser'],
};
