/**
 * A `Range` header as `send` understands it (RFC 9110, 14.1.2). By itself it answers 416 to ranges that are not valid,
 * which are to be ignored, and to the last so many bytes of a file that has fewer, which are all of it.
 * @param size Bytes of the file.
 * @returns undefined for one to ignore.
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
