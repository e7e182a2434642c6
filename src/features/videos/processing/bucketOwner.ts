import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ObjectStore } from '../../../objectStore/objectStore.ts';
import type { Scratch } from '../../../media/scratch/scratch.ts';

export interface BucketOwnerOptions {
  readonly objects: Pick<ObjectStore, 'list' | 'putFile'>;
  readonly scratch: Pick<Scratch, 'make'>;
  /** See `createLogId`. */
  readonly logId: () => Promise<string | null>;
}

/** `unknown` while the log is empty; `shared` names the marks that other logs have put up. */
export type BucketOwner =
  { readonly owner: 'us' | 'unknown' } | { readonly owner: 'shared'; readonly marks: readonly string[] };

const MARKS = 'owner/';

/**
 * Whose the objects are. Nothing in a store says so by itself, and two systems may well be given the same bucket: so
 * each puts up a mark named after its log, also beside another's, whose owner then knows as well.
 */
export async function findBucketOwner({ objects, scratch, logId }: BucketOwnerOptions): Promise<BucketOwner> {
  const id = await logId();
  if (id === null) return { owner: 'unknown' };
  const own = `${MARKS}${id}`;
  const marks: string[] = [];
  for await (const mark of objects.list(MARKS)) marks.push(mark);
  if (!marks.includes(own)) await putUp(own, objects, scratch);
  const others = marks.filter((mark) => mark !== own);
  return others.length === 0 ? { owner: 'us' } : { owner: 'shared', marks: others };
}

async function putUp(
  mark: string,
  objects: BucketOwnerOptions['objects'],
  scratch: BucketOwnerOptions['scratch'],
): Promise<void> {
  await using folder = await scratch.make();
  const path = join(folder.path, 'mark');
  await writeFile(path, 'The objects here belong to the event log whose first event has this name.\n');
  await objects.putFile(mark, path, 'text/plain');
}
