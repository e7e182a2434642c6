import type { z } from 'zod';
import type { FinishedUpload } from './finishUpload.ts';
import { UPLOADS_PATH, type uploadSchema } from './tusProtocol.ts';
import { detailsOf, metadataOf } from './uploadDetails.ts';
import type { UploadRow } from './uploads.ts';

/** An upload as its user sees it. */
export function viewOf(upload: UploadRow, video?: FinishedUpload): z.infer<typeof uploadSchema> {
  const { title, filename = null } = detailsOf(metadataOf(upload));
  return {
    id: upload.id,
    length: upload.length,
    offset: upload.received,
    title,
    filename,
    createdAt: upload.created_at.toISOString(),
    expiresAt: upload.expires_at.toISOString(),
    videoId: video?.videoId ?? null,
  };
}

export function uploadAddress(id: string): string {
  return `${UPLOADS_PATH}/${id}`;
}
