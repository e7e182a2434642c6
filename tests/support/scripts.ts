import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A shell script to run in place of a program. Answers its path. */
export async function script(folder: string, name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n${text}\n`);
  await chmod(path, 0o755);
  return path;
}
