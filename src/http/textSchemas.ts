import { z } from 'zod';
import { characterCount, cleanLine, cleanText, isVisible } from '../core/cleanText.ts';

/** Characters (code points). */
export interface TextLimits {
  readonly min?: number;
  readonly max: number;
}

/** Text of limited length, otherwise as it was sent. */
export function limitedText({ min = 0, max }: TextLimits): z.ZodString {
  return z
    .string()
    .refine((text) => characterCount(text) >= min, `must have at least ${min} character${min === 1 ? '' : 's'}`)
    .refine((text) => characterCount(text) <= max, `must have at most ${max} characters`)
    .meta({ ...(min > 0 && { minLength: min }), maxLength: max });
}

/** One line that people read, cleaned (`cleanLine`). It shows something, and has `min` characters after cleaning. */
export function visibleLine({ min = 1, max }: TextLimits): z.ZodString {
  return limitedText({ max })
    .overwrite(cleanLine)
    .refine((text) => characterCount(text) >= min, min === 1 ? VISIBLE : `must have at least ${min} characters`)
    .refine(isVisible, VISIBLE)
    .meta({ minLength: min, maxLength: max });
}

/** Text of several lines that people read, cleaned (`cleanText`). It may be empty. */
export function cleanedText({ max }: TextLimits): z.ZodString {
  return limitedText({ max }).overwrite(cleanText);
}

const VISIBLE = 'must contain a visible character';
