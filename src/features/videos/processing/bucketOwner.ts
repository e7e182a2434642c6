import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ObjectStore } from '../../../objectStore/objectStore.ts';
import type { Scratch } from '../../../media/scratch/scratch.ts';

export interface BucketOwnerOptions {
  readonly objects: Pick<ObjectStore, 'list' | 'putFile'>;
  readonly scratch: Pick<Scratch, 'make'>;
  /** See `createFirstEventId`. */
  readonly logId: () => Promise<string | null>;
}

/** `unknown` while the log is empty; `shared` names the marks of the other logs. */
export type BucketOwner =
  { readonly owner: 'us' | 'unknown' } | { readonly owner: 'shared'; readonly marks: readonly string[] };

const MARKS = 'owner/';

/**
 * Finds out which system the objects in the store belong to. Two systems may be configured with the same bucket by mistake.
 * Therefore each stores a mark, an object named after its log. When there are two marks, both systems see them.
 */
export async function findBucketOwner({ objects, scratch, logId }: BucketOwnerOptions): Promise<BucketOwner> {
  const id = await logId();
  if (id === null) return { owner: 'unknown' };
  const own = `${MARKS}${id}`;
  const marks: string[] = [];
  for await (const mark of objects.list(MARKS)) marks.push(mark);
  if (!marks.includes(own)) await storeMark(own, objects, scratch);
  const others = marks.filter((mark) => mark !== own);
  return others.length === 0 ? { owner: 'us' } : { owner: 'shared', marks: others };
}

async function storeMark(
  mark: string,
  objects: BucketOwnerOptions['objects'],
  scratch: BucketOwnerOptions['scratch'],
): Promise<void> {
  await using folder = await scratch.make();
  const path = join(folder.path, 'mark');
  await writeFile(path, 'The objects here belong to the event log whose first event has this name.\n');
  await objects.putFile(mark, path, 'text/plain');
}
