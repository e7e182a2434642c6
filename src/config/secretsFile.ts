import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { StartError } from '../core/startError.ts';
import { enterDataFolder } from './dataFolder.ts';

export const secretNames = ['JWT_SECRET', 'REFRESH_SECRET', 'DATA_KEY'] as const;
export type SecretName = (typeof secretNames)[number];

const earlierSecret = z.object({
  name: z.enum(secretNames),
  value: z.string(),
  /** Accepted until then. Missing: until no longer needed, which a later change of the file says. */
  until: z.iso.datetime().optional(),
});

const keptSecrets = z.looseObject({
  JWT_SECRET: z.string().optional(),
  REFRESH_SECRET: z.string().optional(),
  /** In base64. */
  DATA_KEY: z.string().optional(),
  /** Secrets that were replaced and are still accepted, the newest first. */
  EARLIER: z.array(earlierSecret).optional(),
});

export type EarlierSecret = z.infer<typeof earlierSecret>;
/** The content of `secrets.json`. */
export type KeptSecrets = z.infer<typeof keptSecrets>;

/** Empty when there is no file. @throws StartError when it cannot be read */
export function readSecretsFile(path: string): KeptSecrets {
  try {
    return keptSecrets.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    if (isMissing(error)) return {};
    enterDataFolder(dirname(path));
    const reason = error instanceof z.ZodError ? 'its content is not as expected' : (error as Error).message;
    throw new StartError(
      `${path} contains ReelStream's secrets and cannot be read (${reason}). Restore it from a backup, or set DATA_DIR to a new folder.`,
      { cause: error },
    );
  }
}

/** Another one after each change of the file; undefined when there is none. */
export function stampOf(path: string): string | undefined {
  try {
    const { mtimeMs, ino, size } = statSync(path);
    return `${mtimeMs} ${ino} ${size}`;
  } catch (error) {
    if (isMissing(error)) return undefined;
    return 'unreadable';
  }
}

/** Writes a file beside `path`, which the caller gives its name or removes. Returns its path. */
export function writeDraft(path: string, secrets: KeptSecrets): string {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(secrets, undefined, 2)}\n`, { mode: 0o600, flush: true });
  return draft;
}

export function isAccepted({ until }: Pick<EarlierSecret, 'until'>, now = Date.now()): boolean {
  return until === undefined || Date.parse(until) > now;
}

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
}
