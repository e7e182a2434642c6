/**
 * The share of look-ups that a process answers from its cache. An entry is used until a commit of its projection is heard or a second
 * has passed, whichever comes first; both are taken as random in time.
 */
export function hitsOfOneKey(lookUpsPerSecond: number, commitsPerSecond: number): number {
  return lookUpsPerSecond / (lookUpsPerSecond + commitsPerSecond + 1);
}

/** The same for keys whose popularity follows Zipf's law with exponent 1: the n-th is looked up 1/n times as often as the first. */
export function hitsOfZipf(lookUpsPerSecond: number, keys: number, commitsPerSecond: number): number {
  const first = lookUpsPerSecond / harmonic(keys);
  // The sum of r²/(r + c + 1) over all keys, with r = first/n, is first × the sum of 1/n - 1/(n + first/(c + 1)).
  const shift = first / (commitsPerSecond + 1);
  return (first * (harmonic(keys) - (harmonic(keys + shift) - harmonic(shift)))) / lookUpsPerSecond;
}

/** The Euler-Mascheroni constant. */
const EULER = 0.5772156649015329;

/** 1 + 1/2 + … + 1/n, also between whole numbers. */
function harmonic(n: number): number {
  let [sum, x] = [0, n + 1];
  // The series below is exact for large numbers only, and harmonic(n) is harmonic(n + 1) - 1/(n + 1).
  while (x < 10) sum -= 1 / x++;
  return sum + Math.log(x) - 1 / (2 * x) - 1 / (12 * x ** 2) + 1 / (120 * x ** 4) + EULER;
}
