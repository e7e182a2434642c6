import { describe, expect, test } from '@jest/globals';
import type { Decider } from './decider.ts';
import { DomainError } from './errors.ts';
import type { DomainEvent } from './event.ts';
import { given } from './spec.ts';

type DoorEvent = DomainEvent<'Opened', { at: number }> | DomainEvent<'Closed', { at: number }>;
type Command = { to: 'open' | 'close' | 'break'; at: number };

const door: Decider<Command, DoorEvent, 'open' | 'closed'> = {
  initialState: 'closed',
  decide({ to, at }, state) {
    if (to === 'break') throw new TypeError('a bug, not a rule');
    if (to === 'open') return state === 'open' ? [] : [{ type: 'Opened', data: { at } }];
    if (state === 'closed') throw new DomainError('conflict', 'door_closed', 'The door is closed.');
    return [{ type: 'Closed', data: { at } }];
  },
  evolve: (_, { type }) => (type === 'Opened' ? 'open' : 'closed'),
};

const opened: DoorEvent = { type: 'Opened', data: { at: 1 } };

describe('a specification that is met', () => {
  test('passes on the given events, on no events, and on the given error', () => {
    given(door, []).when({ to: 'open', at: 1 }).then([opened]);
    given(door, [opened]).when({ to: 'open', at: 2 }).thenNothing();
    given(door, []).when({ to: 'close', at: 1 }).thenThrows('door_closed');
    given(door, [opened, { type: 'Closed', data: { at: 2 } }])
      .when({ to: 'open', at: 3 })
      .then([{ type: 'Opened', data: { at: 3 } }]);
  });
});

describe('a specification that is not met', () => {
  test.each<[string, () => void, RegExp]>([
    [
      'other data',
      () =>
        given(door, [])
          .when({ to: 'open', at: 1 })
          .then([{ type: 'Opened', data: { at: 2 } }]),
      /at: 2/,
    ],
    ['other events', () => given(door, [opened]).when({ to: 'open', at: 2 }).then([opened]), /Opened/],
    ['events, where there should be none', () => given(door, []).when({ to: 'open', at: 1 }).thenNothing(), /Opened/],
    [
      'nothing thrown, but events',
      () => given(door, []).when({ to: 'open', at: 1 }).thenThrows('door_closed'),
      /'door_closed'.*Opened/,
    ],
    [
      'nothing thrown, and no events',
      () => given(door, [opened]).when({ to: 'open', at: 1 }).thenThrows('door_closed'),
      /: nothing/,
    ],
    ['another code', () => given(door, []).when({ to: 'close', at: 1 }).thenThrows('door_locked'), /door_locked/],
    ['an error that is no rule', () => given(door, []).when({ to: 'break', at: 1 }).thenThrows('door_closed'), /a bug/],
    ['a rule, where events were expected', () => given(door, []).when({ to: 'close', at: 1 }).then([]), /closed/],
  ])('fails on %s', (_, check, message) => {
    expect(check).toThrow(message);
  });
});

test('a decider that changes the state it was given fails', () => {
  const careless: Decider<null, DoorEvent, { opened: number }> = {
    initialState: { opened: 0 },
    decide: () => [],
    evolve: (state) => {
      state.opened++;
      return state;
    },
  };
  expect(() => given(careless, [opened]).when(null).thenNothing()).toThrow(TypeError);
});
