import { z } from 'zod';
import { isVisible } from '../../core/cleanText.ts';
import { exampleValues } from '../../http/documents/exampleValues.ts';
import { limitedText, visibleLine } from '../../http/request/textSchemas.ts';

/** Text without control characters, line breaks, invisible spaces and marks that change the direction of text. */
const NOTHING_HIDDEN = /^[^\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]*$/u;

/** People tell users apart by it, so hidden characters are refused, not removed. */
const username = limitedText({ max: 50 })
  .regex(NOTHING_HIDDEN, 'must not contain control characters')
  .regex(/\S[\s\S]+\S/u, 'must have at least 3 characters')
  .trim()
  .refine(isVisible, 'must contain a visible character');

const email = z.string().trim().max(254).regex(z.regexes.email, 'must be an e-mail address like ada@example.org');

const password = limitedText({ min: 6, max: 200 })
  .regex(/\p{L}/u, 'must contain a letter')
  .regex(/\p{N}/u, 'must contain a digit')
  .regex(/[^\p{L}\p{N}]/u, 'must contain a character that is neither a letter nor a digit');

const profileFields = {
  name: visibleLine({ min: 3, max: 50 }).meta({
    description:
      'Shown beside videos. Control, invisible and direction-changing characters, and spaces at its ends, are removed; at least 3 characters must remain.',
    examples: ['Ada Lovelace'],
  }),
  username: username.meta({
    description:
      'Unique. Case, the encoding of characters, and invisible characters make no difference. Spaces at its ends are removed. Control, invisible and direction-changing characters are refused.',
    minLength: 3,
    maxLength: 50,
    examples: ['ada'],
  }),
  email: email.meta({
    description: 'Unique. Case makes no difference.',
    format: 'email',
    examples: ['ada@example.org'],
  }),
};

export const newPassword = password.meta({
  description: 'At least one letter, one digit, and one character that is neither.',
  format: 'password',
  minLength: 6,
  maxLength: 200,
  examples: ['engine#1843'],
});

/** A password to compare with: it need not keep the rules of a new one. */
export const givenPassword = limitedText({ min: 1, max: 200 }).meta({ format: 'password', examples: ['engine#1843'] });

export const registrationSchema = z.object({ ...profileFields, password: newPassword }).meta({ id: 'Registration' });

export const profileChangeSchema = z
  .object({
    ...profileFields,
    password: givenPassword.meta({ description: 'Your password. Only needed for another `email`.' }),
  })
  .partial()
  .refine(
    ({ name, username, email }) => (name ?? username ?? email) !== undefined,
    'must have a name, a username, an e-mail, or several of them',
  )
  .refine(({ email, password }) => email === undefined || password !== undefined, {
    path: ['password'],
    message: 'must be given to change the e-mail address',
  })
  .meta({
    id: 'ProfileChange',
    description: 'The name, the username, the e-mail with the password, or several of them.',
    anyOf: [{ required: ['name'] }, { required: ['username'] }, { required: ['email', 'password'] }],
  });

export const accountSchema = z
  .object({
    id: z
      .uuid()
      .meta({
        description: 'Time-ordered (UUID v7), unless the registration had an `Idempotency-Key`.',
        examples: [exampleValues.userId],
      }),
    name: z.string().meta({ examples: ['Ada Lovelace'] }),
    username: z.string().meta({ examples: ['ada'] }),
    email: z.string().meta({ examples: ['ada@example.org'] }),
    createdAt: z.iso.datetime().meta({ examples: [exampleValues.created] }),
    updatedAt: z.iso.datetime().meta({ examples: [exampleValues.created] }),
  })
  .meta({ id: 'Account' });

export const roleMetaSchema = z.object({
  role: z
    .enum(['user', 'admin'])
    .meta({
      description: 'The role that the next access token has; the present one may be from before it changed.',
      examples: ['user'],
    }),
});
