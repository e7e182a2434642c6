import { z } from 'zod';

/**
 * Schemas for the text of an environment variable. An error message completes the sentence that begins with the name of
 * the variable: "PORT must be …".
 */
type MessageOf = (issue: { readonly input?: unknown }) => string;

const mustBe = (what: string): { error: MessageOf } => ({
  error: ({ input }) => `must be ${what}, not "${String(input)}"`,
});
/** For values that may hold a password: the message never quotes them. */
const secretMustBe = (what: string): { error: MessageOf } => ({ error: () => `must be ${what}` });

export const text = z.string();

export const bool = z.stringbool({ truthy: ['true', '1'], falsy: ['false', '0'], ...mustBe('true or false') });

export function oneOf<const T extends readonly string[]>(choices: T): z.ZodEnum<{ [K in T[number]]: K }> {
  return z.enum(choices, mustBe(`one of ${choices.join(', ')}`));
}

export type IntegerSchema = z.ZodPipe<z.ZodPipe<z.ZodString, z.ZodTransform<number, string>>, z.ZodNumber>;

export function integer(
  least: number,
  most?: number,
  what = most === undefined ? `a whole number from ${least}` : `a whole number from ${least} to ${most}`,
): IntegerSchema {
  const message = mustBe(what);
  const range = z.int(message).min(least, message);
  return z
    .string()
    .regex(/^\d+$/, message)
    .transform(Number)
    .pipe(most === undefined ? range : range.max(most, message));
}

/** The system chooses a free port for 0. */
export const port = integer(0, 65_535, 'a port number from 0 to 65535');

/** From 0 to 1. */
export const share = z
  .string()
  .regex(/^(?:0?\.\d+|[01](?:\.0*)?)$/, mustBe('a number from 0 to 1'))
  .transform(Number);

const SECONDS_PER_UNIT: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** In seconds. A number without a unit is in seconds. */
export const duration = z
  .string()
  .regex(/^0*[1-9]\d*\s*[smhd]?$/, mustBe('a duration like 45s, 15m, 12h or 30d'))
  .transform((value) => Number.parseInt(value, 10) * (SECONDS_PER_UNIT[value.at(-1) ?? ''] ?? 1));

/** Separated by commas. */
export const list = z.string().transform((value): readonly string[] =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

/** Separated by commas. */
export const emailAddresses = list.refine(
  (addresses) => addresses.every((address) => z.regexes.email.test(address)),
  mustBe('e-mail addresses like ada@example.org, separated by commas'),
);

/** Not `z.url`: the connection string of a cluster names several hosts, which is not a URL. */
export function url(...schemes: readonly string[]): z.ZodString {
  const beginnings = schemes.map((scheme) => `${scheme}://`);
  return z
    .string()
    .refine(
      (value) => beginnings.some((beginning) => value.startsWith(beginning) && value.length > beginning.length),
      secretMustBe(`a URL that begins with ${beginnings.join(' or ')}`),
    );
}

/** The addresses of web pages are joined with paths, so they lose the slash at their end. */
export const webAddress = url('http', 'https').transform((value) => value.replace(/\/+$/, ''));

export const key = z
  .string()
  .transform((value) => Buffer.from(value, 'base64'))
  .refine((bytes) => bytes.length === 32, secretMustBe('32 bytes in base64'));

/** Separated by commas. */
export const keys = list.pipe(z.array(key));

/** In the form that Express takes: true, false, the number of proxies in front of the server, or their addresses. */
export const trustProxy = z.union([
  z.literal('true').transform(() => true),
  z.literal('false').transform(() => false),
  z.string().regex(/^\d+$/).transform(Number),
  text,
]);
