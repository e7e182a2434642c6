import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { ignoreMissing } from './cluster.ts';

/** The longest path of a socket, in bytes, that both Linux (107) and macOS (103) accept. */
export const MAX_SOCKET_PATH = 103;

/** Error codes of `connect` when no process listens, or the file is not a socket. */
const NO_LISTENER = ['ECONNREFUSED', 'ENOENT', 'ENOTDIR', 'ENOTSOCK'];

/** A short path of a folder, so that paths of sockets in it are short enough. Valid until it is disposed. */
export async function shortName(folder: string): Promise<AsyncDisposable & { readonly path: string }> {
  const opened = await open(folder);
  const path = existsSync('/proc/self/fd') ? `/proc/self/fd/${opened.fd}` : folder;
  return { path, [Symbol.asyncDispose]: () => opened.close() };
}

/**
 * Whether a process listens on this Unix socket. This also works from another container, where process ids have no meaning. If
 * the connection fails in another way (the socket belongs to another user, or its queue is full), a process listens.
 */
export async function someoneListens(folder: string, name: string): Promise<boolean> {
  const short = await shortName(folder).catch(ignoreMissing);
  if (short === undefined) return false;
  try {
    return await accepts(join(short.path, name));
  } finally {
    await short[Symbol.asyncDispose]();
  }
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(!NO_LISTENER.includes(error.code ?? '')));
  });
}
