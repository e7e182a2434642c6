import Table from 'cli-table3';

/** A number is aligned to the right. Undefined is an empty cell. */
export type Cell = string | number | bigint | undefined;

/** Standard output as columns, for people. Scripts read the JSON of `--json`. */
export async function printTable(head: readonly string[], rows: readonly (readonly Cell[])[]): Promise<void> {
  const isNumber = (column: number): boolean =>
    rows.some((row) => row[column] !== undefined) &&
    rows.every((row) => ['number', 'bigint', 'undefined'].includes(typeof row[column]));
  const table = new Table({
    chars: Object.fromEntries(BORDERS.map((name) => [name, ''])),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    colAligns: head.map((_, column) => (isNumber(column) ? 'right' : 'left')),
  });
  for (const row of [head, ...rows]) table.push(row.map((cell) => withoutControls(String(cell ?? ''))));
  await print(`${table.toString().replaceAll(/ +$/gm, '')}\n`);
}

/** bigint values are printed as strings, as in the answers of the API. */
export async function printJson(value: unknown): Promise<void> {
  await print(`${JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each), 2)}\n`);
}

/** Resolves when the text is written, since a pipe accepts only a part at a time. A closed pipe is not an error. */
export async function print(text: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  process.stdout.write(text, (error) => (error == null || isClosedPipe(error) ? resolve() : reject(error)));
  return promise;
}

/** Calls the listener when the reader of standard output has closed the pipe, as `head` does. */
export function whenReaderEnds(listener: () => void): void {
  process.stdout.on('error', (error) => {
    if (!isClosedPipe(error)) throw error;
    listener();
  });
}

function isClosedPipe(error: Error): boolean {
  return (error as NodeJS.ErrnoException).code === 'EPIPE';
}

/** A text from the log may contain characters that control a terminal. */
export function withoutControls(text: string): string {
  return text.replaceAll(/[\x00-\x1f\x7f-\x9f]/g, ' ');
}

const BORDERS = [
  ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
  ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
];
