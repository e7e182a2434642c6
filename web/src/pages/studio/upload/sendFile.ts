import { Upload, type DetailedError } from 'tus-js-client';
import { accessToken } from '../../../session/session.ts';
import type { RememberedUpload } from './rememberedUploads.ts';

interface Listeners {
  onAddress(url: string): void;
  onSent(share: number): void;
  /** The server has the whole file, has checked it, and begins to process the video. */
  onVideo(videoId: string): void;
  onError(error: Error | DetailedError): void;
}

/** Milliseconds between tries: about two minutes together, so that a server may start again meanwhile. */
const RETRY_DELAYS = [0, 1_000, 2_000, 4_000, 8_000, 15_000, 30_000, 60_000];

/** An upload that goes on by itself after an interruption. It begins with `start()`. */
export function sendFile(upload: RememberedUpload, listeners: Listeners): Upload {
  const { file, title, description, visibility, url } = upload;
  const sent: Upload = new Upload(file, {
    endpoint: new URL('/api/v1/uploads', location.origin).href,
    ...(url !== undefined && { uploadUrl: url }),
    metadata: { title, description, visibility, filename: file.name.slice(0, 255) },
    retryDelays: RETRY_DELAYS,
    // Its own storage of addresses knows no files; see `rememberUpload`.
    storeFingerprintForResuming: false,
    onBeforeRequest: async (request) => {
      const token = await accessToken();
      if (token !== undefined) request.setHeader('Authorization', `Bearer ${token}`);
    },
    // Otherwise it would begin a new upload when the server cannot say at this moment how much it has of this one.
    onAfterResponse: (request, response) => {
      const status = response.getStatus();
      if (request.getMethod() === 'HEAD' && isPassing(status))
        throw new Error(`The server answered with status ${status}.`);
    },
    // Without a network it stops, and goes on as soon as there is one.
    onShouldRetry: (error) => navigator.onLine && !reasonOf(error).isFinal,
    onUploadUrlAvailable: () => void (sent.url !== null && listeners.onAddress(sent.url)),
    onProgress: (bytes, total) => listeners.onSent(total === 0 ? 0 : bytes / total),
    onError: (error) => listeners.onError(error),
    onSuccess: ({ lastResponse }) => {
      const videoId = lastResponse.getHeader('Upload-Video');
      if (videoId === undefined) listeners.onError(new Error('The server does not name the video.'));
      else listeners.onVideo(videoId);
    },
  });
  return sent;
}

/** Whether it succeeds or not: an upload that nobody finishes expires. */
export async function removeFromServer(url: string): Promise<void> {
  const token = await accessToken().catch(() => undefined);
  const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  await Upload.terminate(url, { headers, retryDelays: null }).catch(() => undefined);
}

/** Whether the same upload may still succeed after this answer. 0: there was none. */
const isPassing = (status: number): boolean => status >= 500 || [0, 401, 409, 423, 429].includes(status);

/** Why an upload stopped, for its user, and whether it can never go on. */
export function reasonOf(error: Error | DetailedError): { readonly reason: string; readonly isFinal: boolean } {
  const response = 'originalResponse' in error ? error.originalResponse : null;
  const status = response?.getStatus() ?? 0;
  const isFinal = status >= 400 && !isPassing(status);
  if (status === 0) return { reason: navigator.onLine ? 'The server cannot be reached.' : 'You are offline.', isFinal };
  return { reason: messageIn(response?.getBody()) ?? `The server answered with status ${status}.`, isFinal };
}

function messageIn(body: string | undefined): string | undefined {
  try {
    return (JSON.parse(body ?? '') as { message?: string }).message;
  } catch {
    return undefined;
  }
}
