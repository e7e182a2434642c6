import { globSync } from 'node:fs';
import type { DomainEvent } from '../../src/core/event.ts';
import type { Cast, FeatureHistories, StreamHistory } from './featureHistories.ts';
import { asUuid } from './ids.ts';
import { fc } from './property.ts';

const FEATURES = new URL('../../src/features/', import.meta.url);

const generators = await Promise.all(
  globSync('*/testHistories.ts', { cwd: FEATURES })
    .sort()
    .map(async (file) => {
      const { histories } = (await import(new URL(file, FEATURES).pathname)) as {
        histories?: FeatureHistories<DomainEvent>;
      };
      if (histories === undefined) throw new Error(`src/features/${file} exports no \`histories\``);
      return histories;
    }),
);

const times = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n));

/** What a few users did with a few videos, stream by stream, from the generators of all features. */
export function histories(users = 3, videos = 4): fc.Arbitrary<StreamHistory[]> {
  const cast: Cast = {
    userIds: times(users, (n) => asUuid('user', n)),
    videos: times(videos, (n) => ({ videoId: asUuid('video', n), ownerId: asUuid('user', n % users) })),
  };
  return fc
    .tuple(...generators.flatMap((generator) => generator(cast)))
    .map((all) => all.filter(({ events }) => events.length > 0));
}

/** One event of a log, before it has a position. */
export interface LoggedEvent {
  readonly stream: string;
  readonly event: DomainEvent;
}

/** All events in any order that keeps the order within each stream. */
export function interleaved(streams: readonly StreamHistory[]): fc.Arbitrary<LoggedEvent[]> {
  const turns = streams.flatMap((each) => each.events.map(() => each));
  return fc.shuffledSubarray(turns, { minLength: turns.length, maxLength: turns.length }).map((order) => {
    const left = new Map(streams.map((each) => [each, each.events.values()]));
    return order.map((each) => ({ stream: each.stream, event: left.get(each)!.next().value! }));
  });
}
