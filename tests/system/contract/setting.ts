import type { System } from '../../support/system.ts';
import type { SystemTest } from '../../support/useSystem.ts';

/** Shared by the parts of the contract: one running system and one short clip. */
export interface Setting {
  readonly system: () => System;
  readonly systemTest: SystemTest;
  /** Path of an mp4 of one second, 64 × 48. */
  readonly clip: () => string;
}
