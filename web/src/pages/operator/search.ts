const FIELDS = [
  'type',
  'category',
  'stream',
  'correlationId',
  'event',
  'state',
  'queue',
  'from',
  'to',
  'video',
  'a',
  'b',
] as const;

/** What the address of an operator page says: filters, what is open, what is compared. */
export type OperatorSearch = { readonly [Field in (typeof FIELDS)[number]]?: string };

/** A number in the address was text before: positions are whole numbers as text. */
export function operatorSearch(search: Record<string, unknown>): OperatorSearch {
  const given = FIELDS.flatMap((field) => {
    const value = search[field];
    return (typeof value === 'string' && value !== '') || typeof value === 'number' ? [[field, String(value)]] : [];
  });
  return Object.fromEntries(given) as OperatorSearch;
}
