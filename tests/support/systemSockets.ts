import { io, type Socket } from 'socket.io-client';

/** @throws the reason, when the server refuses it. */
export async function connect(url: string, token?: string, extraHeaders?: Record<string, string>): Promise<Socket> {
  const socket = io(url, {
    auth: token === undefined ? {} : { token },
    transports: ['websocket'],
    forceNew: true,
    ...(extraHeaders && { extraHeaders }),
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', (error) => {
      socket.disconnect();
      reject(error);
    });
  });
  return socket;
}

/**
 * Listens, once it resolves, for progress of the user's own upload; `heard` resolves at the first of it (at that stage).
 * Await it before the upload: what is told earlier reaches nobody.
 */
export async function firstProgress(
  url: string,
  user: { readonly id: string; readonly token: string },
  wanted?: string,
): Promise<{ readonly heard: Promise<void> }> {
  const socket = await connect(url, user.token);
  const { promise, resolve } = Promise.withResolvers<undefined>();
  socket.on(`uploadProgress-${user.id}`, ({ stage }: { stage: string }) => {
    if (wanted === undefined || stage === wanted) resolve(undefined);
  });
  return { heard: promise.finally(() => socket.disconnect()) };
}
