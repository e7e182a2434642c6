import { DomainError } from '../../core/errors.ts';

/**
 * A video's ETag begins with the revision of its stream; behind a hyphen may follow what else the representation
 * depends on (counts, neighbours), which does not matter to one who wants to change the video.
 */
export function videoEtag(revision: number, representation?: string): string {
  return representation === undefined ? `"${revision}"` : `"${revision}-${representation}"`;
}

/**
 * The revision that `If-Match` names; undefined when any will do.
 * @throws DomainError `precondition_failed` for a tag that no video ever had.
 */
export function revisionWanted(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined;
  const revision = /^(?:W\/)?"(\d{1,9})(?:-[^",]*)?"$/.exec(ifMatch.trim())?.[1];
  if (revision === undefined)
    throw new DomainError(
      'preconditionFailed',
      'precondition_failed',
      'If-Match must be one ETag as this video gave it.',
    );
  return Number(revision);
}
