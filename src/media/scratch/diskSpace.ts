import { statfs } from 'node:fs/promises';

/** Bytes that are free for us on the disk that a folder lies on. */
export type FreeSpace = (folder: string) => Promise<number>;

/** Bytes that media files leave free: in the embedded profile PostgreSQL is on the same disk, and without room it stops. */
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

/** @throws DiskFull unless so many bytes more leave the reserve untouched. */
export async function ensureRoom(folder: string, bytes: number, free: FreeSpace = freeSpace): Promise<void> {
  if ((await free(folder)) < RESERVE + bytes) throw new DiskFull();
}

/** Whether the disk, or this user's share of it, is full: by our own count or the system's. */
export function isDiskFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException | undefined)?.code ?? '');
}
