import { describe, expect, test } from '@jest/globals';
import { fc } from '../../tests/support/property.ts';
import { characterCount, cleanLine, cleanText, isVisible } from './cleanText.ts';

describe('cleaned text', () => {
  test.each([
    ['an emoji of several parts', '👩‍🚀 and ❤️‍🔥'],
    ['an emoji with a skin tone', '👍🏽'],
    ['a keycap', '1️⃣'],
    ['a flag of tags', '🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} wins'],
    ['Persian with a zero-width non-joiner', 'می\u200cخواهم'],
    ['Marathi with a zero-width joiner', 'दर\u094d\u200dया'],
    ['Bengali with a joiner at the end of a word', 'ত\u09cd\u200d'],
    ['Mongolian with a vowel separator', 'ᠠ\u180eᠨ'],
    ['a Japanese variant of a character', '葛\u{e0100}城'],
    ['Hebrew and Latin', 'שלום world'],
  ])('keeps %s', (_what, text) => {
    expect([cleanLine(text), cleanText(text), isVisible(text)]).toEqual([text, text, true]);
  });

  test.each([
    ['control characters', 'a\u0000b\u0007c\u007fd\u0090e', 'abcde'],
    [
      'overrides, embeddings and isolates',
      '\u202aa\u202bb\u202cc\u202dd\u202ee\u2066f\u2067g\u2068h\u2069',
      'abcdefgh',
    ],
    ['direction marks', 'a\u200eb\u200fc\u061cd', 'abcd'],
    ['invisible spaces and operators', 'a\u200bb\u2060c\u2063d\ufeffe\u00adf', 'abcdef'],
    ['fillers', 'a\u115fb\u1160c\u3164d\uffa0e', 'abcde'],
    ['tags that belong to no flag', 'a\u{e0041}b\u{e0001}c', 'abc'],
    ['joiners that have nothing to join', '\u200d\u200da b\u200d\u200d\u200dc \ufe0f', 'a b\u200dc'],
    ['blanks around it', ' \t\u00a0a\u3000', 'a'],
  ])('is without %s', (_what, text, expected) => {
    expect([cleanLine(text), cleanText(text)]).toEqual([expected, expected]);
  });

  test('is in the form NFC', () => {
    expect(cleanLine('Zoe\u0308')).toBe('Zoë');
  });

  test('has line feeds as line breaks, and none when it is made one line', () => {
    const text = 'one\r\ntwo\rthree\u2028four\u2029five\u0085six\n\tseven';
    expect(cleanText(text)).toBe('one\ntwo\nthree\nfour\nfive\nsix\n\tseven');
    expect(cleanLine(text)).toBe('one two three four five six  seven');
  });

  test('stays as it is when it is cleaned again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        expect(cleanText(cleanText(text))).toBe(cleanText(text));
        expect(cleanLine(cleanLine(text))).toBe(cleanLine(text));
      }),
      { numRuns: 2_000 },
    );
  });

  // Takes milliseconds when the time grows with the length, and minutes when it grows with the length squared.
  test.each(['\u{e0041}', '\u{1f3f4}\u{e0041}', '\u200d', 'a\u0301', '\u202e', ' '])(
    'is ready in time when the text has many %j',
    (unit) => {
      const before = performance.now();
      cleanLine(`x${unit.repeat(200_000)}x`);
      expect(performance.now() - before).toBeLessThan(10_000);
    },
  );
});

test.each(['', '   ', '\u3000', '\u200b\u200d', '\u3164', '\u2800\u2800', '\ufe0f', '\u00ad', '\n\t'])(
  '%j has no visible character',
  (text) => {
    expect(isVisible(text)).toBe(false);
  },
);

test('an emoji outside the basic plane counts as one character', () => {
  expect(characterCount('a🚀')).toBe(2);
});
