/**
 * Corrects a `Range` header for `send` (RFC 9110, 14.1.2). `send` answers 416 to an invalid range, which must be ignored, and to a
 * range of more last bytes than the file has, which means the whole file.
 * @param size Bytes of the file.
 * @returns undefined when the header must be ignored.
 */
export function properRange(header: string, size: number): string | undefined {
  const specifiers = /^ *bytes=(.*)$/
    .exec(header)?.[1]
    ?.split(',')
    .map((each) => each.trim());
  if (specifiers === undefined || !specifiers.every(isValid)) return undefined;
  return `bytes=${specifiers.map((each) => (each.startsWith('-') && Number(each.slice(1)) > size ? '0-' : each)).join(',')}`;
}

function isValid(specifier: string): boolean {
  const [, first, last] = /^(\d*)-(\d*)$/.exec(specifier) ?? [];
  if (first === undefined || last === undefined) return false;
  return first === '' ? last !== '' : last === '' || Number(last) >= Number(first);
}
