/** A start that cannot work. Its message is for the operator: one sentence that says what is wrong and what to do. */
export class StartError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'StartError';
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'it is on a read-only file system',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  ENOTDIR: 'a part of that path is a file, not a folder',
  EEXIST: 'it is a file, not a folder',
};

/** Turns what the file system refused into a sentence; errors of other kinds are given back as they are. */
export function folderError(variable: string, folder: string, error: unknown): unknown {
  const reason = REASONS[(error as NodeJS.ErrnoException).code ?? ''];
  if (reason === undefined) return error;
  return new StartError(`${variable} (${folder}) cannot be used: ${reason}. Free it, or set ${variable} to another folder.`, { cause: error });
}
