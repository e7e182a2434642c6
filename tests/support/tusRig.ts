import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { sql } from 'kysely';
import { Upload } from 'tus-js-client';
import { createFirstEventId } from '../../src/core/logId.ts';
import { pendingUploadsOf } from '../../src/features/videos/processing/pendingUploads.ts';
import { createUploadQuota } from '../../src/features/videos/processing/uploadQuota.ts';
import { readVideo } from '../../src/features/videos/readVideo.ts';
import { createUploads } from '../../src/features/videos/resumable/uploads.ts';
import { createUploadSweep, type UploadSweep } from '../../src/features/videos/resumable/uploadSweep.ts';
import { collect } from '../../src/objectStore/objectStoreContract.ts';
import { clip } from './clips.ts';
import { eventually } from './eventually.ts';
import { startFeatures, type FeaturesTest, type FeaturesTestOptions, type FeatureUser } from './features.ts';
import { silent } from './mediaRig.ts';
import type { Answer, CallOptions } from './systemClient.ts';

export const UPLOADS = '/api/v1/uploads';

export interface UploadView {
  readonly id: string;
  readonly offset: number;
  readonly videoId: string | null;
}

/** All features, a user, a short movie, and what a tus client does with it. */
export interface TusRig extends AsyncDisposable {
  readonly features: FeaturesTest;
  readonly user: FeatureUser;
  readonly movie: Buffer;
  call(method: string, path: string, options?: CallOptions): Promise<Answer<UploadView>>;
  create(length: number, pairs?: Record<string, string>): Promise<Answer<UploadView>>;
  append(path: string, offset: number, body: Buffer, headers?: Record<string, string>): Promise<Answer<UploadView>>;
  /** Begins an upload of the movie, or of so many bytes. Returns its path. */
  begin(length?: number): Promise<string>;
  offsetOf(path: string): Promise<number>;
  /** Sends a file as tus-js-client does. Returns the headers of its last answer. */
  send(file: Buffer, options?: { chunkSize?: number; path?: string }): Promise<(name: string) => string | undefined>;
  /** Announces the rest of the movie, sends 2 000 bytes of it, and leaves the connection open. */
  sendPart(path: string): Promise<Socket>;
  /** Resolves when the server has received bytes of an upload. */
  arrived(path: string): Promise<unknown>;
  /** An upload as a process leaves it that is killed after it has stored the last byte. */
  diedAtTheEnd(): Promise<string>;
  /** The id of the video that an upload becomes. */
  videoIdOf(path: string): Promise<string>;
  /** Whether the log has the video. */
  isVideo(videoId: string): Promise<boolean>;
  storedParts(path: string): Promise<string[]>;
  /** Places that an upload's video takes in the quota of its owner. */
  pendingOf(videoId: string): Promise<number>;
  expire(path: string): Promise<void>;
  createSweep(): UploadSweep;
}

export function metadata(pairs: Record<string, string>): string {
  return Object.entries(pairs)
    .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
    .join(',');
}

/** A box of an MP4 that has no meaning. */
export function emptyRoom(size: number): Buffer {
  const room = Buffer.alloc(size);
  room.writeUInt32BE(size, 0);
  room.write('free', 4);
  return room;
}

const OFFSET_STREAM = 'application/offset+octet-stream';
const idOf = (path: string): string => path.split('/').at(-1)!;

export interface TusRigOptions extends Pick<FeaturesTestOptions, 'objects' | 'maxPending'> {
  /** The movie is made so many bytes longer, by room that players skip. */
  readonly room?: number;
}

export async function createTusRig({ room, maxPending = 50, objects }: TusRigOptions = {}): Promise<TusRig> {
  const features = await startFeatures({ maxPending, ...(objects !== undefined && { objects }) });
  const user = await features.user('Ann');
  const plain = await readFile(await clip('plain'));
  const movie = room === undefined ? plain : Buffer.concat([plain, emptyRoom(room)]);
  const { context } = features;
  const uploads = createUploads(context.db);

  const call: TusRig['call'] = (method, path, { headers, ...options } = {}) =>
    features.call(method, path, { token: user.token, ...options, headers: { 'tus-resumable': '1.0.0', ...headers } });
  const create: TusRig['create'] = (length, pairs = { title: 'A clip' }) =>
    call('POST', UPLOADS, { headers: { 'upload-length': String(length), 'upload-metadata': metadata(pairs) } });
  const begin: TusRig['begin'] = async (length = movie.length) =>
    (await create(length)).headers.get('location') ?? 'no location';
  const offsetOf = async (path: string): Promise<number> =>
    Number((await call('HEAD', path)).headers.get('upload-offset'));

  return {
    features,
    user,
    movie,
    call,
    create,
    begin,
    offsetOf,
    append: (path, offset, body, headers = {}) =>
      call('PATCH', path, {
        body: new Uint8Array(body),
        headers: { 'upload-offset': String(offset), 'content-type': OFFSET_STREAM, ...headers },
      }),
    send: (file, { chunkSize = Infinity, path } = {}) =>
      new Promise((resolve, reject) => {
        const upload = new Upload(file, {
          endpoint: `${features.app.url}${UPLOADS}`,
          ...(path !== undefined && { uploadUrl: `${features.app.url}${path}` }),
          chunkSize,
          retryDelays: [0, 100, 200, 400, 800],
          headers: { authorization: `Bearer ${user.token}` },
          metadata: { title: 'By a client', filename: 'clip.mp4' },
          onError: reject,
          onSuccess: ({ lastResponse }) => resolve((name) => lastResponse.getHeader(name)),
        });
        upload.start();
      }),
    async sendPart(path) {
      const socket = connect(Number(new URL(features.app.url).port), '127.0.0.1');
      await once(socket, 'connect');
      socket.on('error', () => undefined);
      socket.write(
        [
          `PATCH ${path} HTTP/1.1`,
          'Host: localhost',
          `Authorization: Bearer ${user.token}`,
          'Tus-Resumable: 1.0.0',
          'Upload-Offset: 0',
          `Content-Type: ${OFFSET_STREAM}`,
          `Content-Length: ${movie.length}`,
          '',
          '',
        ].join('\r\n'),
      );
      await new Promise((resolve) => socket.write(movie.subarray(0, 2_000), resolve));
      return socket;
    },
    async arrived(path) {
      const { video_id: videoId } = (await uploads.find(idOf(path)))!;
      await eventually(() => features.uploadProgress.some((step) => step.videoId === videoId), {
        what: 'the server has received bytes',
      });
    },
    async diedAtTheEnd() {
      const path = await begin();
      const [id, holder] = [idOf(path), randomUUID()];
      await uploads.lock(id, holder);
      const key = `uploads/${id}/000000000-x`;
      await context.objects.putFile(key, await clip('plain'), 'application/octet-stream');
      await uploads.addPart(id, holder, { offset: 0, size: movie.length, key });
      await sql`update reelstream.resumable_uploads set locked_until = now() where id = ${id}`.execute(context.db);
      return path;
    },
    videoIdOf: async (path) => (await uploads.find(idOf(path)))!.video_id,
    isVideo: async (videoId) => (await readVideo(context.store, videoId)).state.status !== 'none',
    storedParts: (path) => collect(context.objects.list(`uploads/${idOf(path)}/`)),
    async pendingOf(videoId) {
      const rows = await pendingUploadsOf(context.db)
        .selectFrom('reelstream.pending_uploads')
        .where('video_id', '=', videoId)
        .select('video_id')
        .execute();
      return rows.length;
    },
    async expire(path) {
      await sql`update reelstream.resumable_uploads set expires_at = now() where id = ${idOf(path)}`.execute(
        context.db,
      );
    },
    createSweep: () =>
      createUploadSweep({
        ...context,
        uploads,
        quota: createUploadQuota({ db: pendingUploadsOf(context.db), ...context.settings.uploadQuota }),
        logId: createFirstEventId(context.store),
        logger: silent,
      }),
    [Symbol.asyncDispose]: () => features[Symbol.asyncDispose](),
  };
}
