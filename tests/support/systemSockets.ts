import { io, type Socket } from 'socket.io-client';

/** Connects a socket. @throws the reason when the server refuses it. */
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
 * Resolves when it listens for the progress of the user's uploads. `heard` resolves at the first report (of that stage).
 * Await it before the upload, because earlier reports are lost.
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
