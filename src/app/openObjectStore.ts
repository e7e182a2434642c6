import type { RequestHandler } from 'express';
import { createInDataFolder } from '../config/dataFolder.ts';
import { ownUrl } from '../config/ownUrl.ts';
import { createFolderObjectStore, objectFolder } from '../objectStore/folderObjectStore.ts';
import { madeOf } from '../core/keyRing.ts';
import { secretFor } from '../core/sealing.ts';
import { createMediaHandler } from '../objectStore/mediaHandler.ts';
import { createSignedMediaHandler } from '../objectStore/signedMediaHandler.ts';
import { createSignedPaths } from '../objectStore/signedPaths.ts';
import type { ObjectStore } from '../objectStore/objectStore.ts';
import type { Process } from './process.ts';

export interface OpenedObjectStore {
  readonly objects: ObjectStore;
  /** Serves the files of a store that has no server of its own; of other stores, the private files. */
  readonly media: { readonly path: string; readonly handler: RequestHandler };
}

const MEDIA_PATH = '/media';

/** @param port where this process listens */
export async function openObjectStore(
  { config, logger, parts, starting }: Process,
  port: number,
): Promise<OpenedObjectStore> {
  const { minio, dataDir, secrets } = config;
  const mediaUrl = `${config.publicUrl ?? ownUrl(config.host, port)}${MEDIA_PATH}`;
  const signed = createSignedPaths({ secrets: madeOf(secrets.dataKey, (key) => secretFor(key, 'signed media')) });
  if (minio === undefined) {
    const root = objectFolder(dataDir);
    const objects = await createInDataFolder(dataDir, createFolderObjectStore({ root, publicUrl: mediaUrl, signed }));
    return { objects, media: { path: MEDIA_PATH, handler: createMediaHandler({ root, signed }) } };
  }
  const { createMinioObjectStore } = await import('../objectStore/minioObjectStore.ts');
  const { endpoint, useSsl } = minio;
  const publicUrl = minio.publicUrl ?? `${useSsl ? 'https' : 'http'}://${endpoint}:${minio.port}`;
  const objects = createMinioObjectStore({ ...minio, endPoint: endpoint, useSSL: useSsl, publicUrl, mediaUrl, signed });
  parts.defer(() => objects.close());
  // The start does not wait, because the store may become available later.
  objects.check().catch((error: unknown) => {
    const reason = (error as Error).message;
    if (!starting.aborted)
      logger.warn(
        { reason },
        'The object store that MINIO_ENDPOINT names cannot be used yet. Until it can, uploads are answered with 503.',
      );
  });
  return { objects, media: { path: MEDIA_PATH, handler: createSignedMediaHandler({ objects, signed }) } };
}
