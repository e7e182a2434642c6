import { v4, v7 } from 'uuid';
import { DomainError } from '../../../core/errors.ts';
import { commonHeadersOf } from '../../../http/reply/commonHeaders.ts';
import { drainThenClose } from '../../../http/request/drain.ts';
import type { EnvelopeReply, Reply, RouteRequest } from '../../../http/route.ts';
import { badForm } from '../../../media/receiving/refusals.ts';
import type { ApiContext } from '../../feature.ts';
import { videoStream } from '../decider.ts';
import type { UploadQuota } from '../processing/uploadQuota.ts';
import { parseChecksum } from './checksum.ts';
import { finishUpload, isRefusal, removeUpload, type FinishDependencies, type FinishedUpload } from './finishUpload.ts';
import type { TusAnswer, TusExchangeOptions, TusTarget } from './tusExchange.ts';
import { EXPIRES_AFTER_MS, OFFSET_STREAM, TUS_OPTIONS, TUS_VERSION, uploadExpired } from './tusProtocol.ts';
import { detailsOf } from './uploadDetails.ts';
import { uploadAddress, viewOf } from './uploadView.ts';
import { createUploads, isComplete, uploadLocked, uploadNotFound, type UploadRow } from './uploads.ts';

type Request<Params = unknown> = RouteRequest<Params, unknown, unknown, 'required'>;
type RequestTo = Request<{ readonly uploadId: string }>;

interface Handlers {
  create(request: Request): Promise<Reply>;
  list(request: Request): Promise<Reply>;
  show(request: RequestTo): Promise<Reply>;
  append(request: RequestTo): Promise<Reply>;
  remove(request: RequestTo): Promise<Reply>;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function createUploadHandlers(context: ApiContext, quota: UploadQuota): Handlers {
  const { db, store, objects, files, reportProgress } = context;
  const uploads = createUploads(db);
  const dependencies: FinishDependencies = { store, objects, files, reportProgress, uploads, quota };

  const exchange = async (
    request: Request,
    upload: TusTarget,
    creation: Pick<TusExchangeOptions, 'newId' | 'newVideoId' | 'onUploadCreate'> = { newId: '', newVideoId: '' },
  ): Promise<TusAnswer> => {
    // Loaded by the first request that needs it.
    const { exchangeTus } = await import('./tusExchange.ts');
    const checksum = parseChecksum(request.raw.headers['upload-checksum'] as string | undefined);
    const options = { ...dependencies, ...creation, holder: v7(), ownerId: request.user.id, checksum };
    return await exchangeTus(request, upload, options);
  };

  /** @throws DomainError `upload_not_found`, also for those of others, and `upload_expired` */
  const find = async ({ params, user }: RequestTo): Promise<UploadRow> => {
    const upload = UUID.test(params.uploadId) ? await uploads.find(params.uploadId) : undefined;
    if (upload?.owner_id !== user.id) throw uploadNotFound();
    if (upload.expires_at <= new Date() && upload.video_position === null) throw uploadExpired();
    return upload;
  };

  const finishIfComplete = async (id: string, { context }: Request): Promise<Finished> => {
    const upload = await uploads.find(id);
    if (upload === undefined) throw uploadNotFound();
    if (!isComplete(upload)) return { upload };
    const video = await finishUpload(dependencies, id, context);
    return { upload, ...(video && { video }) };
  };

  return {
    create: (request) =>
      speakingTus(request, async () => {
        const [newId, newVideoId] = [v4(), v7()];
        try {
          const { headers } = await exchange(
            request,
            { method: 'POST' },
            {
              newId,
              newVideoId,
              onUploadCreate: async (_request, { size = 0, metadata = {} }) => {
                if (size === 0) throw badForm('The file is empty.');
                detailsOf(metadata);
                const until = new Date(Date.now() + EXPIRES_AFTER_MS);
                await quota.reserve({ videoId: newVideoId, ownerId: request.user.id, bytes: size, until });
                return {};
              },
            },
          );
          const { upload, video } = await finishIfComplete(newId, request);
          return {
            status: 201,
            message: 'Upload created',
            data: viewOf(upload, video),
            headers: { ...headers, ...videoHeaders(video), Location: uploadAddress(newId) },
            ...appendedBy(video),
          };
        } catch (error) {
          // The client does not know its address, so it can neither resume nor remove it.
          await removeUpload(dependencies, newId, newVideoId).catch(() => undefined);
          throw error;
        }
      }),

    list: async ({ user }) => ({
      status: 200,
      message: 'Uploads retrieved',
      data: (await uploads.unfinishedOf(user.id)).map((upload) => viewOf(upload)),
    }),

    show: (request) =>
      speakingTus(request, async () => {
        const { id } = await find(request);
        const { headers } = await exchange(request, { method: 'HEAD', id });
        const { upload, video } = await finishIfComplete(id, request).catch((error: unknown) => {
          // tus clients give up an upload whose HEAD is answered with 5xx, but come back after a 423.
          throw isRefusal(error) ? error : uploadLocked(error);
        });
        return {
          status: 200,
          message: 'Upload retrieved',
          data: viewOf(upload, video),
          headers: { ...headers, ...expiry(upload, video), ...videoHeaders(video) },
        };
      }),

    append: (request) =>
      speakingTus(request, async () => {
        const upload = await find(request);
        const { id } = upload;
        if (request.raw.headers['content-type'] !== OFFSET_STREAM) throw wrongBody();
        const headers = isComplete(upload)
          ? { 'Upload-Offset': String(upload.length) }
          : (await exchange(request, { method: 'PATCH', id })).headers;
        const { video } = await finishIfComplete(id, request);
        const location = video && { Location: `/api/v1/video/${video.videoId}` };
        return {
          status: 204,
          message: '',
          headers: { ...headers, ...videoHeaders(video), ...location },
          ...appendedBy(video),
        };
      }),

    remove: (request) =>
      speakingTus(request, async () => {
        const { id } = await find(request);
        await exchange(request, { method: 'DELETE', id });
        return { status: 204, message: '' };
      }),
  };
}

interface Finished {
  readonly upload: UploadRow;
  readonly video?: FinishedUpload;
}

/** Every answer names the version of tus, also that of a refusal. The rest of a refused body is discarded. */
async function speakingTus({ raw, response }: Request, answer: () => Promise<Reply>): Promise<Reply> {
  const headers = commonHeadersOf(response);
  headers['Tus-Resumable'] = TUS_VERSION;
  try {
    if (raw.method !== 'GET' && raw.headers['tus-resumable'] !== TUS_VERSION) {
      headers['Tus-Version'] = TUS_OPTIONS['Tus-Version'];
      throw wrongVersion();
    }
    return await answer();
  } finally {
    drainThenClose(raw);
  }
}

function wrongVersion(): DomainError {
  return new DomainError(
    'preconditionFailed',
    'tus_version_unsupported',
    `Send the header "Tus-Resumable: ${TUS_VERSION}"; no other version of tus is supported.`,
  );
}

function wrongBody(): DomainError {
  return new DomainError('unsupportedMedia', 'unsupported_media_type', `Send the bytes as "${OFFSET_STREAM}".`);
}

function videoHeaders(video: FinishedUpload | undefined): Record<string, string> {
  return video === undefined ? {} : { 'Upload-Video': video.videoId };
}

function expiry({ expires_at: at }: UploadRow, video: FinishedUpload | undefined): Record<string, string> {
  return video === undefined ? { 'Upload-Expires': at.toUTCString() } : {};
}

function appendedBy(video: FinishedUpload | undefined): Pick<EnvelopeReply, 'appended'> {
  if (video === undefined) return {};
  return { appended: { stream: videoStream(video.videoId), position: video.position, types: ['VideoUploaded'] } };
}
