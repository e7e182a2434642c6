/** How the text of an environment variable becomes a value. `undefined` means: not one of these. */
export interface Kind<T> {
  /** Completes the sentence "PORT must be …". */
  readonly expects: string;
  readonly parse: (text: string) => T | undefined;
  /** May hold a password: never shown, not even when it is wrong. */
  readonly secret?: boolean;
}

export const text: Kind<string> = { expects: 'text', parse: (value) => value };

export function oneOf<const T extends string>(...choices: readonly T[]): Kind<T> {
  return { expects: `one of ${choices.join(', ')}`, parse: (value) => choices.find((choice) => choice === value) };
}

export const bool: Kind<boolean> = {
  expects: 'true or false',
  parse: (value) => ({ true: true, '1': true, false: false, '0': false })[value.toLowerCase()],
};

export function integer(least: number, most = Number.MAX_SAFE_INTEGER): Kind<number> {
  return {
    expects:
      most === Number.MAX_SAFE_INTEGER ? `a whole number from ${least}` : `a whole number from ${least} to ${most}`,
    parse: (value) =>
      /^\d+$/.test(value) && Number(value) >= least && Number(value) <= most ? Number(value) : undefined,
  };
}

/** 0 takes any free one. */
export const port: Kind<number> = { ...integer(0, 65_535), expects: 'a port number from 0 to 65535' };

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** In seconds. */
export const duration: Kind<number> = {
  expects: 'a duration like 45s, 15m, 12h or 30d',
  parse: (value) => {
    const [, amount, unit = 's'] = /^(\d+)\s*([smhd])?$/.exec(value) ?? [];
    const seconds = Number(amount) * (UNITS[unit] ?? Number.NaN);
    return seconds > 0 ? seconds : undefined;
  },
};

export const list: Kind<readonly string[]> = {
  expects: 'a list separated by commas',
  parse: (value) =>
    value
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
};

export function url(...schemes: readonly string[]): Kind<string> {
  return {
    expects: `a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`,
    parse: (value) =>
      schemes.some((scheme) => value.startsWith(`${scheme}://`) && value.length > scheme.length + 3)
        ? value
        : undefined,
    secret: true,
  };
}

export const secret: Kind<string> = { expects: 'text', parse: (value) => value, secret: true };

export const key: Kind<Buffer> = {
  expects: '32 bytes in base64 (openssl rand -base64 32)',
  parse: (value) => {
    const bytes = Buffer.from(value, 'base64');
    return bytes.length === 32 ? bytes : undefined;
  },
  secret: true,
};

/** As Express takes it: true, false, the number of proxies in front, or their addresses. */
export const trustProxy: Kind<boolean | number | string> = {
  expects: 'true, false, a number of proxies or a list of their addresses',
  parse: (value) => (/^\d+$/.test(value) ? Number(value) : ({ true: true, false: false }[value] ?? value)),
};
