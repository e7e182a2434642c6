let seen: string | undefined;

/** The page has got this event. */
export function sawPosition(position: string): void {
  if (seen === undefined || BigInt(position) > BigInt(seen)) seen = position;
}

/** For a query whose answer must not be older than the events that the page has got. */
export function notOlderThanSeen(): { readonly 'X-Min-Position'?: string } {
  return seen === undefined ? {} : { 'X-Min-Position': seen };
}
