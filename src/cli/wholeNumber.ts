import { InvalidArgumentError } from '@commander-js/extra-typings';

/** Parses the value of an option that limits how much is printed. */
export function wholeNumber(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= 10_000) return number;
  throw new InvalidArgumentError('It must be a whole number from 1 to 10000.');
}
