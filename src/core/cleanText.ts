/** Right-to-left and left-to-right marks, embeddings, overrides and isolates: they reorder the text around them. */
const BIDI_CONTROLS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Control characters except tab and line feed, and the controls of interlinear annotations. */
const CONTROLS = /[^\P{Cc}\t\n]|[\ufff9-\ufffb]/gu;

/** CR LF, CR, NEL, LINE SEPARATOR and PARAGRAPH SEPARATOR. */
const LINE_BREAKS = /\r\n|[\r\u0085\u2028\u2029]/gu;

/**
 * Characters that are not drawn, by Unicode's rules, except those that change the character before them: joiners,
 * variation selectors and the tags of a flag. Persian, Indic scripts and emoji are misspelled without those.
 */
const INVISIBLE =
  /(?![\u034f\u180b-\u180f\u200c\u200d\u{e0020}-\u{e007f}\p{Variation_Selector}])\p{Default_Ignorable_Code_Point}/gu;

/** Joiners, variation selectors and tags that do not follow a character which they could change. */
const STRAY =
  /(?<![\p{L}\p{M}\p{N}\p{P}\p{S}])[\u034f\u180b-\u180f\u200c\u200d\p{Variation_Selector}]|(?<!\u{1f3f4}[\u{e0020}-\u{e007e}]{0,30})[\u{e0020}-\u{e007f}]/gu;

/** Blanks, controls, characters that are not drawn, and the Braille pattern without dots. */
const SHOWS_NOTHING = /[\s\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/**
 * Cleans text of several lines: removes characters that are invisible or reorder other text, and blanks around the
 * text. The answer is in Unicode's form NFC, and lines end with a line feed. Emoji and all writing systems keep their
 * joiners.
 */
export function cleanText(text: string): string {
  const kept = text
    .replace(LINE_BREAKS, '\n')
    .replace(CONTROLS, '')
    .replace(BIDI_CONTROLS, '')
    .replace(INVISIBLE, '')
    .replace(STRAY, '');
  return kept.normalize('NFC').trim();
}

/** Cleans text as `cleanText` does, and makes it one line: a tab or a line break becomes a space. */
export function cleanLine(text: string): string {
  return cleanText(text.replace(LINE_BREAKS, '\n').replace(/[\t\n\v\f]/g, ' '));
}

/** Whether a text has a visible character. */
export function isVisible(text: string): boolean {
  return text.replace(SHOWS_NOTHING, '') !== '';
}

/** The length in code points, as JSON Schema counts it. `length` counts an emoji as two or more. */
export function characterCount(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
