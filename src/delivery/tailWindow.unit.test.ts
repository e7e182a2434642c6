import { describe, expect, test } from '@jest/globals';
import { fc } from '../../tests/support/property.ts';
import type { RecordedEvent } from '../core/event.ts';
import { createTailWindow } from './tailWindow.ts';

const event = (position: bigint): RecordedEvent => ({
  id: '',
  type: 'T',
  data: {},
  metadata: { correlationId: '', schemaVersion: 1 },
  stream: 's-1',
  revision: 0,
  position,
  time: new Date(0),
});

describe('a window on the newest events', () => {
  test('gives the events after a position, and says when some of them are older than the window', () => {
    const window = createTailWindow(100);
    expect(window.take(0n)).toBeUndefined();
    window.push(10n, 12n, [event(11n), event(12n)]);
    expect(window.take(12n)).toBeUndefined();
    expect(window.take(11n)).toEqual({ events: [event(12n)], position: 12n });
    expect(window.take(9n)).toBe('older');
  });

  test('starts again after a gap, and says that the events in the gap are older', () => {
    const window = createTailWindow(100);
    window.push(0n, 5n, [event(5n)]);
    window.push(7n, 8n, [event(8n)]);
    expect(window.take(5n)).toBe('older');
    expect(window.take(7n)).toEqual({ events: [event(8n)], position: 8n });
  });

  test('stays small when only watermarks come', () => {
    const window = createTailWindow(2);
    for (let position = 1n; position <= 1_000n; position++) window.push(position - 1n, position, []);
    expect(window.take(500n)).toEqual({ events: [], position: 1_000n });
    for (let position = 1_001n; position <= 1_005n; position++) window.push(position - 1n, position, [event(position)]);
    expect(window.take(1_000n)).toBe('older');
    expect(window.take(1_003n)).toEqual({ events: [event(1_004n), event(1_005n)], position: 1_005n });
  });

  test('never makes a reader miss an event or see it twice, whichever pieces are repeated, cut or lost', () => {
    const pieces = fc.array(fc.tuple(fc.nat({ max: 30 }), fc.nat({ max: 8 })), { maxLength: 40 });
    fc.assert(
      fc.property(pieces, fc.integer({ min: 1, max: 12 }), (list, limit) => {
        const window = createTailWindow(limit);
        const got: bigint[] = [];
        let after = 0n;
        for (const [from, length] of list) {
          // The log has events at the even positions.
          const positions = Array.from({ length }, (_, n) => BigInt(from + n + 1)).filter(
            (position) => position % 2n === 0n,
          );
          window.push(BigInt(from), BigInt(from + length), positions.map(event));
          for (let found = window.take(after); found !== undefined; found = window.take(after)) {
            const batch = found === 'older' ? evens(after, window.start!) : found;
            got.push(...batch.events.map(({ position }) => position));
            expect(batch.position > after).toBe(true);
            after = batch.position;
          }
        }
        expect(got).toEqual(evens(0n, after).events.map(({ position }) => position));
      }),
    );
  });
});

/** The answer of the store. */
function evens(after: bigint, until: bigint): { events: RecordedEvent[]; position: bigint } {
  const events: RecordedEvent[] = [];
  for (let position = after + 1n; position <= until; position++) if (position % 2n === 0n) events.push(event(position));
  return { events, position: until };
}
