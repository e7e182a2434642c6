import { z } from 'zod';
import { visiblePart } from './names.ts';

/**
 * What a name is made of is its owner's business, as long as it stays in its line: no control characters, line breaks,
 * invisible spaces, or marks that turn the direction of the text around it.
 */
const HIDDEN = /[\p{Cc}\p{Zl}\p{Zp}\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/u;
const visibleName = z
  .string()
  .trim()
  .min(3, 'Must have at least 3 characters.')
  .max(50, 'Must have at most 50 characters.')
  .refine((name) => visiblePart(name) !== '', 'Must not consist of blanks.')
  .refine((name) => !HIDDEN.test(name), 'Must not contain control characters.');

export const registrationSchema = z
  .object({
    name: visibleName,
    username: visibleName,
    email: z.string().trim().max(254, 'Must have at most 254 characters.').pipe(z.email('Must be an e-mail address.')).meta({ format: 'email' }),
    password: z
      .string()
      .min(6, 'Must have at least 6 characters.')
      .max(200, 'Must have at most 200 characters.')
      .refine((password) => /\p{L}/u.test(password), 'Must contain a letter.')
      .refine((password) => /\p{N}/u.test(password), 'Must contain a digit.')
      .refine((password) => /[^\p{L}\p{N}]/u.test(password), 'Must contain a character that is neither a letter nor a digit.')
      .describe('With a letter, a digit, and a character that is neither.'),
  })
  .meta({ id: 'Registration' });

export const accountSchema = z
  .object({
    id: z.uuid(),
    name: z.string(),
    username: z.string(),
    email: z.string(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Account' });
