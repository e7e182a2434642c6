import type { z } from 'zod';
import { limitedText } from '../../../http/request/textSchemas.ts';
import { validate } from '../../../http/request/validate.ts';
import { newVideoDetails } from '../recordUpload.ts';

/** The keys of `Upload-Metadata` that we read. Others are kept for the client. */
const uploadDetails = newVideoDetails.extend({ filename: limitedText({ max: 255 }).optional() });

export type UploadDetails = z.infer<typeof uploadDetails>;

/** As tus clients send it: a key may have no value. */
export type UploadMetadata = Readonly<Record<string, string | null>>;

/** @throws DomainError `validation_failed` with a message for each field */
export function detailsOf(metadata: UploadMetadata): UploadDetails {
  const body = Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, value ?? '']));
  return validate({ body: uploadDetails }, { params: undefined, query: undefined, body }).body as UploadDetails;
}

export function metadataOf({ metadata }: { readonly metadata: string }): UploadMetadata {
  return JSON.parse(metadata) as UploadMetadata;
}
