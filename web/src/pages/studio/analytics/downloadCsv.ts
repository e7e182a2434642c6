import { saveFile } from '../../../saveFile.ts';
import { readCsv, type Question } from './analyticsApi.ts';

/** Saves the numbers as a file: one row for each day on which something happened. */
export async function downloadCsv(question: Question): Promise<void> {
  const { from, to, asOf } = question;
  const file = new Blob([await readCsv(question)], { type: 'text/csv' });
  const name = ['reelstream', from, 'to', to, ...(asOf === undefined ? [] : ['as-of', asOf.replaceAll(':', '')])];
  saveFile(file, `${name.join('-')}.csv`);
}
