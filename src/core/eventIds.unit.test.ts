import { expect, test } from '@jest/globals';
import { eventIdFor, idFor } from './eventIds.ts';

const context = { actor: 'user', idempotencyKey: 'key' };

test('without an idempotency key every id is new, and later ones sort later', () => {
  const ids = Array.from({ length: 1_000 }, () => eventIdFor({}, 'video-1', 0));
  expect(new Set(ids).size).toBe(1_000);
  // Sorted by the millisecond.
  const times = ids.map((id) => id.slice(0, 13));
  expect(times).toEqual(times.toSorted());
});

test('with one, the id is always the same for the same actor, key, stream and index', () => {
  expect(eventIdFor(context, 'video-1', 0)).toBe(eventIdFor({ ...context }, 'video-1', 0));
  const others = [
    eventIdFor(context, 'video-1', 0),
    eventIdFor(context, 'video-1', 1),
    eventIdFor(context, 'video-2', 0),
    eventIdFor({ ...context, actor: 'other' }, 'video-1', 0),
    eventIdFor({ ...context, actor: undefined }, 'video-1', 0),
    eventIdFor({ ...context, idempotencyKey: 'other' }, 'video-1', 0),
    // The same characters, divided differently between actor and key.
    eventIdFor({ actor: 'userk', idempotencyKey: 'ey' }, 'video-1', 0),
  ];
  expect(new Set(others).size).toBe(others.length);
});

test('a derived id is the same in all versions of the program, since retries must find the first try', () => {
  expect(eventIdFor(context, 'video-1', 0)).toBe('72497d43-4b70-523e-a566-311bca0398cf');
});

test('the id of what a command makes is the same for a retry, and another for another kind, key or actor', () => {
  expect(idFor(context, 'session')).toBe(idFor({ ...context }, 'session'));
  const others = [
    idFor(context, 'session'),
    idFor(context, 'user'),
    idFor({ ...context, idempotencyKey: 'other' }, 'session'),
    idFor({ ...context, actor: 'other' }, 'session'),
    idFor({ actor: 'user' }, 'session'),
    idFor({ actor: 'user' }, 'session'),
  ];
  expect(new Set(others).size).toBe(others.length);
});
