/** How many letters a name may differ from a near one. */
const MOST_DIFFERENCES = 3;

/** The names that a mistyped one may mean, the nearest first: those that contain it, or differ in a few letters. */
export function nearNames(mistyped: string, names: readonly string[]): string[] {
  const wanted = mistyped.toLowerCase();
  const distanceTo = (name: string): number => (wanted !== '' && name.includes(wanted) ? 0 : differences(wanted, name));
  return names
    .map((name) => ({ name, distance: distanceTo(name.toLowerCase()) }))
    .filter(({ distance }) => distance <= Math.min(MOST_DIFFERENCES, wanted.length / 2))
    .toSorted((a, b) => a.distance - b.distance)
    .map(({ name }) => name);
}

/** Letters to add, remove or replace (Levenshtein). */
function differences(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, n) => n);
  for (const [n, letter] of [...one].entries()) {
    const next = [n + 1];
    for (let m = 0; m < other.length; m++)
      next.push(Math.min(next[m]! + 1, row[m + 1]! + 1, row[m]! + (letter === other[m] ? 0 : 1)));
    row = next;
  }
  return row.at(-1)!;
}
