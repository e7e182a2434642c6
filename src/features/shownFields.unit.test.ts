import { expect, test } from '@jest/globals';
import { fc } from '../../tests/support/property.ts';
import { histories } from '../../tests/support/histories.ts';
import { eventTypes, type ReelStreamEvent } from './index.ts';

test('every event type says of each field whether people who read the log see it', () => {
  for (const [type, { shown }] of Object.entries(eventTypes)) expect({ type, shown }).toHaveProperty('shown.at');
  const happened = fc.sample(histories(), 50).flatMap((streams) => streams.flatMap(({ events }) => events));
  for (const [type, events] of Map.groupBy(happened, ({ type }) => type)) {
    const { shown } = eventTypes[type as ReelStreamEvent['type']];
    const fields = new Set(events.flatMap(({ data }) => Object.keys(data)));
    expect({ type, shown: Object.keys(shown!).toSorted() }).toEqual({ type, shown: [...fields].toSorted() });
  }
});

test('no event type shows a personal field', () => {
  for (const [type, { shown, personal }] of Object.entries(eventTypes))
    for (const field of personal?.fields ?? [])
      expect({ type, field, shown: shown![field] }).toMatchObject({ shown: false });
});
