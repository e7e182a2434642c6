import type { Readable } from 'node:stream';
import { DataStore, Upload } from '@tus/server';
import { startActiveTimeout, type ActiveTimeout } from '../../../media/ffmpeg/activeTimeout.ts';
import { stalled } from '../../../media/receiving/refusals.ts';
import type { FeatureContext } from '../../feature.ts';
import { uploadReporter } from '../recordUpload.ts';
import type { UploadQuota } from '../processing/uploadQuota.ts';
import type { Checksum } from './checksum.ts';
import { removeUpload } from './finishUpload.ts';
import { writeParts } from './parts.ts';
import { EXPIRES_AFTER_MS, TUS_EXTENSIONS } from './tusProtocol.ts';
import { metadataOf, type UploadMetadata } from './uploadDetails.ts';
import { uploadNotFound, type UploadRow, type Uploads } from './uploads.ts';

export interface UploadStoreOptions extends Pick<FeatureContext, 'objects' | 'files' | 'reportProgress'> {
  readonly uploads: Uploads;
  readonly quota: Pick<UploadQuota, 'release'>;
  /** Who holds the lock during this request. */
  readonly holder: string;
  readonly ownerId: string;
  /** The video that an upload becomes which this request creates. */
  readonly newVideoId: string;
  /** Of the bytes of this request. */
  readonly checksum: Checksum | undefined;
  /** Milliseconds without a byte after which a request ends; 30 000 by default. What has arrived is kept. */
  readonly longestPause?: number;
}

const LONGEST_PAUSE_MS = 30_000;

/** Where `@tus/server` keeps uploads during one request: rows, and objects for their bytes. */
export class UploadStore extends DataStore {
  readonly #options: UploadStoreOptions;

  constructor(options: UploadStoreOptions) {
    super();
    this.#options = options;
    this.extensions = [...TUS_EXTENSIONS];
  }

  override getExpiration(): number {
    return EXPIRES_AFTER_MS;
  }

  override async create(upload: Upload): Promise<Upload> {
    const { uploads, holder, ownerId, newVideoId } = this.#options;
    const { id, size: length = 0, metadata = {} } = upload;
    const expiresAt = new Date(Date.now() + EXPIRES_AFTER_MS);
    const row = { id, ownerId, videoId: newVideoId, length, metadata: JSON.stringify(metadata), expiresAt };
    await uploads.create(row, holder);
    return upload;
  }

  override async getUpload(id: string): Promise<Upload> {
    const row = await this.#options.uploads.find(id);
    if (row === undefined) throw uploadNotFound();
    const { length: size, received: offset, created_at: created } = row;
    const metadata: UploadMetadata = metadataOf(row);
    return new Upload({ id, size, offset, metadata: { ...metadata }, creation_date: created.toISOString() });
  }

  override async write(bytes: Readable, id: string, offset: number): Promise<number> {
    const { uploads, objects, files, holder, ownerId, reportProgress, checksum, longestPause } = this.#options;
    const row = await uploads.find(id);
    if (row === undefined) throw uploadNotFound();
    const report = uploadReporter(reportProgress, { userId: ownerId, videoId: row.video_id });
    await using folder = await files.scratch.make();
    return await writeParts(watched(bytes, row, report, longestPause), {
      uploads,
      objects,
      folder: folder.path,
      id,
      holder,
      offset,
      checksum,
    });
  }

  override async remove(id: string): Promise<void> {
    const row = await this.#options.uploads.find(id);
    if (row === undefined) throw uploadNotFound();
    await removeUpload(this.#options, id, row.video_id);
  }
}

/** Reports each percent of the upload that has arrived, and ends a stream of which nothing comes. */
async function* watched(
  bytes: Readable,
  { received, length }: UploadRow,
  report: (stage: 'receiving', share: number) => void,
  longestPause = LONGEST_PAUSE_MS,
): AsyncGenerator<Buffer> {
  const startPause = (): ActiveTimeout => startActiveTimeout(longestPause, () => bytes.destroy(stalled(longestPause)));
  let pause = startPause();
  let arrived = received;
  let percent = Math.floor((received / length) * 100);
  try {
    for await (const chunk of bytes as AsyncIterable<Buffer>) {
      // What the bytes wait for now is our disk or the object store, not the client.
      pause.end();
      arrived += chunk.length;
      const now = Math.floor((arrived / length) * 100);
      if (now > percent) report('receiving', (percent = now) / 100);
      yield chunk;
      pause = startPause();
    }
  } finally {
    pause.end();
  }
}
