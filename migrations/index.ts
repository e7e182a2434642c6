import type { Migration } from 'kysely/migration';
import { eventLog } from './0001_event_log.ts';
import { userKeys } from './0002_user_keys.ts';
import { idempotency } from './0003_idempotency.ts';
import { leases } from './0004_leases.ts';
import { pendingUploads } from './0005_pending_uploads.ts';
import { projectionOperations } from './0006_projection_operations.ts';
import { appendTime } from './0008_append_time.ts';
import { uploadProgress } from './0009_upload_progress.ts';
import { processes } from './0010_processes.ts';
import { resumableUploads } from './0011_resumable_uploads.ts';
import { eventHashes } from './0012_event_hashes.ts';
import { keyRotation } from './0013_key_rotation.ts';
import { erasedFields } from './0014_erased_fields.ts';
import { logCopies } from './0016_log_copies.ts';

/** Run in the order of their names. A released migration is never changed. */
export const migrations: Record<string, Migration> = {
  '0001_event_log': eventLog,
  '0002_user_keys': userKeys,
  '0003_idempotency': idempotency,
  '0004_leases': leases,
  '0005_pending_uploads': pendingUploads,
  '0006_projection_operations': projectionOperations,
  '0008_append_time': appendTime,
  '0009_upload_progress': uploadProgress,
  '0010_processes': processes,
  '0011_resumable_uploads': resumableUploads,
  '0012_event_hashes': eventHashes,
  '0013_key_rotation': keyRotation,
  '0014_erased_fields': erasedFields,
  '0016_log_copies': logCopies,
};
