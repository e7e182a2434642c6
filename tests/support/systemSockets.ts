import { io, type Socket } from 'socket.io-client';

/** @throws the reason, when the server refuses it. */
export async function connect(url: string, token?: string): Promise<Socket> {
  const socket = io(url, { auth: token === undefined ? {} : { token }, transports: ['websocket'], forceNew: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', (error) => {
      socket.disconnect();
      reject(error);
    });
  });
  return socket;
}

/** Resolves when the seed's socket first tells of that user's upload (at that stage). Call it, without awaiting, before the upload. */
export async function firstProgress(socketUrl: string, userId: string, wanted?: string): Promise<void> {
  const socket = await connect(socketUrl);
  try {
    await new Promise<void>((resolve) => {
      socket.on(`uploadProgress-${userId}`, ({ stage }: { stage: string }) => {
        if (wanted === undefined || stage === wanted) resolve();
      });
    });
  } finally {
    socket.disconnect();
  }
}
