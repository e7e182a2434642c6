import { describe, test } from '@jest/globals';
import { given } from '../../core/spec.ts';
import type { ReservationEvent } from './events.ts';
import { reservationDecider, type Holder } from './reservation.decider.ts';

const at = '2025-01-01T00:00:00.000Z';

describe.each([
  ['email', 'EmailReserved', 'EmailReleased'],
  ['username', 'UsernameReserved', 'UsernameReleased'],
] as const)('the reservation of an %s', (name, reservedType, releasedType) => {
  const decider = reservationDecider(name);
  const reserved = (userId: string): ReservationEvent => ({ type: reservedType, data: { userId, at } });
  const released = (userId: string): ReservationEvent => ({ type: releasedType, data: { userId, at } });

  test('goes to the first who asks', () =>
    given(decider, [])
      .when({ type: 'Reserve', userId: 'a', at })
      .then([reserved('a')]));
  test('is refused to the second', () =>
    given(decider, [reserved('a')])
      .when({ type: 'Reserve', userId: 'b', at })
      .thenThrows(`${name}_taken`));
  test('is had once by its holder', () =>
    given(decider, [reserved('a')])
      .when({ type: 'Reserve', userId: 'a', at })
      .thenNothing());
  test('is free again after it was released', () =>
    given(decider, [reserved('a'), released('a')])
      .when({ type: 'Reserve', userId: 'b', at })
      .then([reserved('b')]));
  test('is released by its holder', () =>
    given(decider, [reserved('a')])
      .when({ type: 'Release', userId: 'a', at })
      .then([released('a')]));
  test('is not released by another', () =>
    given(decider, [reserved('a')])
      .when({ type: 'Release', userId: 'b', at })
      .thenNothing());
  test('is not released twice', () =>
    given(decider, [reserved('a'), released('a')])
      .when({ type: 'Release', userId: 'a', at })
      .thenNothing());
  const heldBy = (userId: string, number: number): Holder => ({ userId, number, since: at });
  test('is taken over only by the reservation that was named', () => {
    given(decider, [reserved('a')])
      .when({ type: 'TakeOver', from: heldBy('a', 1), userId: 'b', at })
      .then([released('a'), reserved('b')]);
    given(decider, [reserved('a'), released('a'), reserved('c')])
      .when({ type: 'TakeOver', from: heldBy('a', 1), userId: 'b', at })
      .thenThrows(`${name}_taken`);
    given(decider, [reserved('a'), released('a'), reserved('a')])
      .when({ type: 'TakeOver', from: heldBy('a', 1), userId: 'b', at })
      .thenThrows(`${name}_taken`);
  });
  test('is renewed by its holder, once by one reservation', () => {
    given(decider, [reserved('a')])
      .when({ type: 'TakeOver', from: heldBy('a', 1), userId: 'a', at })
      .then([released('a'), reserved('a')]);
    given(decider, [reserved('a'), released('a'), reserved('a')])
      .when({ type: 'TakeOver', from: heldBy('a', 1), userId: 'a', at })
      .thenNothing();
  });
  test('that was renewed is not released by its former number', () => {
    const renewed = [reserved('a'), released('a'), reserved('a')];
    given(decider, renewed).when({ type: 'Release', userId: 'a', number: 1, at }).thenNothing();
    given(decider, renewed)
      .when({ type: 'Release', userId: 'a', number: 2, at })
      .then([released('a')]);
  });
  test('that was to be taken over is reserved when it has become free meanwhile', () =>
    given(decider, [reserved('a'), released('a')])
      .when({ type: 'TakeOver', from: heldBy('a', 1), userId: 'b', at })
      .then([reserved('b')]));
});
