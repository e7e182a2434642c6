import { DomainError } from '../../core/errors.ts';

/**
 * A video's ETag begins with the revision of its stream. After a hyphen it may name what else the representation
 * depends on (counts, neighbours); changing a video does not depend on that.
 */
export function videoEtag(revision: number, representation?: string): string {
  return representation === undefined ? `"${revision}"` : `"${revision}-${representation}"`;
}

/**
 * The revision in `If-Match`; undefined when any revision is accepted.
 * @throws DomainError `precondition_failed` for a tag that no video ever had.
 */
export function revisionWanted(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined;
  const revision = /^(?:W\/)?"(\d{1,9})(?:-[^",]*)?"$/.exec(ifMatch.trim())?.[1];
  if (revision === undefined)
    throw new DomainError('preconditionFailed', 'precondition_failed', 'If-Match must be one ETag of this video.');
  return Number(revision);
}
