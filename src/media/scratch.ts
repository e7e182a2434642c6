import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** A temporary folder that is gone when it is disposed, whatever happened in it. */
export interface ScratchFolder extends AsyncDisposable {
  readonly path: string;
}

/** Makes temporary folders for uploads and jobs. */
export interface Scratch {
  make(): Promise<ScratchFolder>;
}

export function createScratch(root: string): Scratch {
  return {
    make: async () => {
      await mkdir(root, { recursive: true, mode: 0o700 });
      const path = await mkdtemp(join(root, 'work-'));
      return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
    },
  };
}
