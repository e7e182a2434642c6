import { expect, test } from '@jest/globals';
import { fc } from '../../../../tests/support/property.ts';
import { createKeySet } from './keySet.ts';

test('a key set tells new texts from known ones, as a Set does', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 2 }), { maxLength: 2_000 }), (texts) => {
      const [keys, known] = [createKeySet(), new Set<string>()];
      for (const text of texts) {
        expect(keys.add(text)).toBe(!known.has(text));
        known.add(text);
      }
    }),
  );
});

test('a key set keeps its texts while it grows', () => {
  const keys = createKeySet();
  const texts = Array.from({ length: 50_000 }, (_, n) => `text ${n}`);
  expect(texts.every((text) => keys.add(text))).toBe(true);
  expect(texts.some((text) => keys.add(text))).toBe(false);
});
