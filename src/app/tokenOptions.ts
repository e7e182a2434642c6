import type { Config } from '../config/config.ts';
import type { TokenOptions } from '../features/sessions/index.ts';

export function tokenOptions({ secrets, accessTokenSeconds, refreshTokenSeconds }: Config): TokenOptions {
  return {
    accessSecret: secrets.jwt,
    accessSeconds: accessTokenSeconds,
    refreshSecret: secrets.refresh,
    refreshSeconds: refreshTokenSeconds,
  };
}
