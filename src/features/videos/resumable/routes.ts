import { z } from 'zod';
import { route, type Route } from '../../../http/route.ts';
import type { ApiContext } from '../../feature.ts';
import { quotaRefusal, type UploadQuota } from '../processing/uploadQuota.ts';
import { createUploadHandlers } from './handlers.ts';
import {
  answeredHeaders,
  appendHeaders,
  createHeaders,
  OFFSET_STREAM,
  TUS_OPTIONS,
  UPLOADS_PATH,
  uploadSchema,
  versionHeaders,
} from './tusProtocol.ts';

/** Accepts any text: text that cannot be an id gets 404, not 400. */
const params = z.object({ uploadId: z.string().meta({ description: 'The id of the upload.', format: 'uuid' }) });

const shared = { tag: 'Uploads', auth: 'required', options: TUS_OPTIONS } as const;

const fileRefusals = {
  403: { description: 'The account was suspended. The upload is removed.', code: 'account_suspended' },
  413: {
    description: 'The file is larger than 50 MB, or more bytes came than were announced.',
    code: 'file_too_large',
  },
  415: { description: 'The file is not an MP4, or the body is not an offset stream.', code: 'not_an_mp4' },
  422: {
    description:
      'The video is longer than 60 seconds, or cannot be decoded. The message says why. The upload is removed.',
    code: 'video_too_long',
  },
};
const unsupported = { description: 'This version of tus is not supported.', code: 'tus_version_unsupported' };
const unknown = { description: 'You have no such upload.', code: 'upload_not_found' };
const expired = { description: 'The upload was not finished within 24 hours.', code: 'upload_expired' };
const locked = { description: 'Another request is using this upload.', code: 'upload_locked' };
const mismatch = { description: 'The bytes do not have the digest in `Upload-Checksum`.', code: 'checksum_mismatch' };

/** Uploads that can be resumed, by tus 1.0. */
export function resumableUploadRoutes(context: ApiContext, quota: UploadQuota): Route[] {
  const handlers = createUploadHandlers(context, quota);
  return [
    route({
      ...shared,
      method: 'post',
      path: UPLOADS_PATH,
      operationId: 'createUpload',
      summary: 'Begin an upload that can be resumed',
      description:
        'By tus 1.0 (extensions creation, creation-with-upload, checksum, expiration and termination); clients such as tus-js-client do it all. The first bytes may come in the body. `Location` is where to send the others with `PATCH`.',
      limit: 'upload',
      requestHeaders: createHeaders,
      bytes: OFFSET_STREAM,
      responses: {
        201: {
          description: 'The upload has begun.',
          message: 'Upload created',
          data: uploadSchema,
          headers: { Location: 'The address of the upload.', ...answeredHeaders },
        },
        412: unsupported,
        ...fileRefusals,
        429: quotaRefusal,
        460: mismatch,
      },
      handle: handlers.create,
    }),
    route({
      ...shared,
      method: 'get',
      path: UPLOADS_PATH,
      operationId: 'listUploads',
      summary: 'List your unfinished uploads',
      description:
        'The oldest first. They count as videos that wait to be processed, until they are finished, removed or expire.',
      responses: {
        200: { description: 'Uploads that can be resumed.', message: 'Uploads retrieved', data: z.array(uploadSchema) },
      },
      handle: handlers.list,
    }),
    route({
      ...shared,
      method: 'get',
      path: `${UPLOADS_PATH}/:uploadId`,
      operationId: 'getUpload',
      summary: 'Ask how far an upload is',
      description:
        'Clients of tus ask with `HEAD`. When the last byte had arrived but the server died before it recorded the video, this finishes the upload.',
      params,
      responses: {
        200: {
          description: 'Where to go on.',
          message: 'Upload retrieved',
          data: uploadSchema,
          headers: {
            ...answeredHeaders,
            'Upload-Length': 'Bytes of the whole file.',
            'Upload-Metadata': 'As it was sent.',
          },
        },
        404: unknown,
        410: expired,
        412: unsupported,
        ...fileRefusals,
        423: locked,
      },
      handle: handlers.show,
    }),
    route({
      ...shared,
      method: 'patch',
      path: `${UPLOADS_PATH}/:uploadId`,
      operationId: 'appendToUpload',
      summary: 'Send more bytes of an upload',
      description:
        'What has arrived is kept when the connection breaks. With the last byte the file is checked, as in `POST /api/v1/video/upload`, and the answer names the video in `Location` and `Upload-Video`; the video is then processed. To send the last bytes again gives the same answer.',
      params,
      requestHeaders: appendHeaders,
      bytes: OFFSET_STREAM,
      responses: {
        204: {
          description: 'The bytes are stored.',
          headers: { Location: 'The address of the video, after the last byte.', ...answeredHeaders },
        },
        404: unknown,
        410: expired,
        412: unsupported,
        ...fileRefusals,
        423: locked,
        460: mismatch,
      },
      handle: handlers.append,
    }),
    route({
      ...shared,
      method: 'delete',
      path: `${UPLOADS_PATH}/:uploadId`,
      operationId: 'deleteUpload',
      summary: 'Give up an upload',
      description: 'Removes what has been received. A video that the upload has become stays.',
      params,
      requestHeaders: versionHeaders,
      responses: { 204: { description: 'The upload is removed.' }, 404: unknown, 412: unsupported, 423: locked },
      handle: handlers.remove,
    }),
  ];
}
