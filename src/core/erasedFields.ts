import type { RecordedEvent } from './event.ts';
import { contentOf } from './eventHash.ts';

/**
 * What an event holds as `data.erased` in place of personal fields that an older program recorded in clear. Its hash is
 * still the one with which it was recorded.
 */
export interface ErasedFields {
  readonly fields: readonly string[];
  /** SHA-256 of its content as it was recorded (`contentHash`), hexadecimal. */
  readonly recorded: string;
}

/**
 * What a later event of the same stream says, in the list `data.erased`, about an event whose fields are erased. That event
 * is chained to the others, so nobody can change, unnoticed, what is left.
 */
export interface ErasureRecord {
  readonly revision: number;
  /** As in `ErasedFields`. */
  readonly recorded: string;
  /** SHA-256 of the content that is left, hexadecimal. */
  readonly left: string;
}

/** Undefined for an event that is as it was recorded. */
export function erasedFieldsOf({ data }: RecordedEvent): ErasedFields | undefined {
  const { erased } = data as { readonly erased?: Partial<ErasedFields> };
  if (!Array.isArray(erased?.fields) || typeof erased.recorded !== 'string') return undefined;
  return erased as ErasedFields;
}

/** Empty for an event that says nothing of the kind. */
export function erasureRecordsOf({ data }: RecordedEvent): readonly ErasureRecord[] {
  const { erased } = data as { readonly erased?: unknown };
  return Array.isArray(erased) ? (erased as readonly ErasureRecord[]) : [];
}

/** The event as it is stored without these fields. Those that it does not have are not missed. */
export function withoutFields(event: RecordedEvent, fields: readonly string[]): RecordedEvent {
  const left = Object.entries(event.data).filter(([field]) => !fields.includes(field));
  const erased: ErasedFields = {
    fields: fields.filter((field) => Object.hasOwn(event.data, field)),
    recorded: hexadecimal(contentOf(event)),
  };
  return { ...event, data: { ...Object.fromEntries(left), erased } };
}

/** What must be recorded before an event is replaced by this one, which `withoutFields` has made. */
export function erasureRecord(event: RecordedEvent): ErasureRecord {
  const { recorded } = erasedFieldsOf(event)!;
  return { revision: event.revision, recorded, left: hexadecimal(contentOf(event)) };
}

/** The content hash of an event as it was recorded, in the form of `contentHash`. */
export function recordedContentOf(event: RecordedEvent): string {
  const erased = erasedFieldsOf(event);
  return erased === undefined ? contentOf(event) : Buffer.from(erased.recorded, 'hex').toString('latin1');
}

function hexadecimal(content: string): string {
  return Buffer.from(content, 'latin1').toString('hex');
}
