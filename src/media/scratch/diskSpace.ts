import { statfs } from 'node:fs/promises';

/** Bytes that this process may still write to the disk of a folder. */
export type FreeSpace = (folder: string) => Promise<number>;

/** Bytes that media files leave free. In the embedded profile PostgreSQL uses the same disk, and stops when it is full. */
const RESERVE = 256 * 1024 * 1024;

const freeSpace: FreeSpace = async (folder) => {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
};

/** There is, or soon would be, no room. Carries the system's code for it. */
class DiskFull extends Error {
  readonly code = 'ENOSPC';

  constructor() {
    super('the disk is full, but for what is kept free for the database');
    this.name = 'DiskFull';
  }
}

/** @throws DiskFull when writing so many bytes would use up the reserve. */
export async function ensureRoom(folder: string, bytes: number, free: FreeSpace = freeSpace): Promise<void> {
  if ((await free(folder)) < RESERVE + bytes) throw new DiskFull();
}

/** Whether an error, or its cause, means that the disk, or this user's quota, is full: `DiskFull` or the system's own error. */
export function isDiskFull(error: unknown): boolean {
  const { code = '', cause } = (error ?? {}) as NodeJS.ErrnoException;
  return ['ENOSPC', 'EDQUOT'].includes(code) || (cause !== undefined && isDiskFull(cause));
}
