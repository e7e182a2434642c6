import { readCsv, type Question } from './analyticsApi.ts';

/** Saves the numbers as a file: one row for each day on which something happened. */
export async function downloadCsv(question: Question): Promise<void> {
  const { from, to, asOf } = question;
  const file = new Blob([await readCsv(question)], { type: 'text/csv' });
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  const name = ['reelstream', from, 'to', to, ...(asOf === undefined ? [] : ['as-of', asOf.replaceAll(':', '')])];
  link.download = `${name.join('-')}.csv`;
  link.click();
  // Some browsers read it only after the click.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
