import { Socket } from 'node:net';

/**
 * A socket that sends everything that is written to it in one turn of the event loop with one system call. pg makes a
 * system call for each query, which takes longer than all else that it does for a small one.
 */
export function createTurnSocket(): Socket {
  const socket = new Socket();
  // Not before: `Socket.connect` sets `write` back.
  socket.once('connect', () => {
    const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
    let waiting = false;
    socket.write = (...args: unknown[]) => {
      if (!waiting) {
        waiting = true;
        socket.cork();
        // Runs when the promises of this turn have settled.
        process.nextTick(() => {
          waiting = false;
          socket.uncork();
        });
      }
      return write(...args);
    };
  });
  return socket;
}
