import { isServerOf, readPidFile, type PidFile } from '../../src/postgres/pidFile.ts';

/** The PostgreSQL that runs on this data folder. The pid file of a dead server does not count. */
export async function findServer(folder: string): Promise<PidFile | undefined> {
  const file = await readPidFile(folder);
  return file !== undefined && (await isServerOf(folder, file.pid)) ? file : undefined;
}
