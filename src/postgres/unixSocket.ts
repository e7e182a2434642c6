import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { ignoreMissing } from './cluster.ts';

/** Longest name of a socket, in bytes, that both Linux (107) and macOS (103) take. */
export const LONGEST_SOCKET = 103;

/** What `connect` says of a socket that nobody listens on: its process has ended, or it never was one. */
const NOBODY = ['ECONNREFUSED', 'ENOENT', 'ENOTDIR', 'ENOTSOCK'];

/** A name of a folder that is short enough for sockets in it, whatever its path, as long as it is not disposed. */
export async function shortName(folder: string): Promise<AsyncDisposable & { readonly path: string }> {
  const opened = await open(folder);
  const path = existsSync('/proc/self/fd') ? `/proc/self/fd/${opened.fd}` : folder;
  return { path, [Symbol.asyncDispose]: () => opened.close() };
}

/**
 * Whether a process listens on this Unix socket. Unlike whether a process lives, that can be seen from another container
 * too. A socket that cannot be asked (it is another user's, or its queue is full) counts as one with a listener.
 */
export async function someoneListens(folder: string, name: string): Promise<boolean> {
  const short = await shortName(folder).catch(ignoreMissing);
  if (short === undefined) return false;
  try {
    return await answers(join(short.path, name));
  } finally {
    await short[Symbol.asyncDispose]();
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(!NOBODY.includes(error.code ?? '')));
  });
}
