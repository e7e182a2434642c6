import { once } from 'node:events';
import { io } from 'socket.io-client';

/** Resolves when the seed's socket first tells of that user's upload (at that stage). Call it, without awaiting, before the upload. */
export async function firstProgress(socketUrl: string, userId: string, wanted?: string): Promise<void> {
  const socket = io(socketUrl, { transports: ['websocket'], forceNew: true });
  try {
    await once(socket, 'connect');
    await new Promise<void>((resolve) => {
      socket.on(`uploadProgress-${userId}`, ({ stage }: { stage: string }) => {
        if (wanted === undefined || stage === wanted) resolve();
      });
    });
  } finally {
    socket.disconnect();
  }
}
