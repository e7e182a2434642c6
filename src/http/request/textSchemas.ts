import { z } from 'zod';
import { characterCount, cleanLine, cleanText, isVisible } from '../../core/cleanText.ts';

/** Numbers of characters (code points). */
export interface TextLimits {
  readonly min?: number;
  readonly max: number;
}

/**
 * Control characters other than blanks, and invisible characters. As ranges: not every JSON Schema tool knows `\p{Cc}`.
 */
const INVISIBLE =
  String.raw`\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f\u00ad\u034f\u061c\u115f\u1160\u180b-\u180f` +
  String.raw`\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb`;
const SHOWN = String.raw`[^\s\u0085${INVISIBLE}]`;
const SHOWN_OR_BLANK = `[^${INVISIBLE}]`;

/** Text of limited length, not changed. Text that is too long is not checked any further. */
export function limitedText({ min = 0, max }: TextLimits): z.ZodString {
  return z
    .string()
    .refine((text) => characterCount(text) >= min, `must have at least ${min} character${min === 1 ? '' : 's'}`)
    .refine((text) => characterCount(text) <= max, { message: `must have at most ${max} characters`, abort: true })
    .meta({ ...(min > 0 && { minLength: min }), maxLength: max });
}

/**
 * One line that people read, cleaned (`cleanLine`). It has a visible character; blanks at its ends do not count for
 * `min`.
 */
export function visibleLine({ min = 1, max }: TextLimits): z.ZodString {
  return limitedText({ max })
    .regex(atLeast(min), min === 1 ? VISIBLE : `must have at least ${min} characters`)
    .overwrite(cleanLine)
    .refine(isVisible, VISIBLE)
    .meta({ minLength: min, maxLength: max });
}

/** Text of several lines that people read, cleaned (`cleanText`). It may be empty. */
export function cleanedText({ max }: TextLimits): z.ZodString {
  return limitedText({ max }).overwrite(cleanText);
}

/**
 * Begins and ends with a visible character and has at least `count` characters. A pattern, so that it appears in
 * OpenAPI.
 */
function atLeast(count: number): RegExp {
  return new RegExp(
    count === 1 ? SHOWN : String.raw`${SHOWN}[\s\S]*${String.raw`${SHOWN_OR_BLANK}[\s\S]*`.repeat(count - 2)}${SHOWN}`,
    'u',
  );
}

const VISIBLE = 'must contain a visible character';
