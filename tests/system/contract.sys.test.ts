import { afterAll, beforeAll } from '@jest/globals';
import { Clips } from '../support/systemClips.ts';
import { useSystem } from '../support/useSystem.ts';
import { accountsContract } from './contract/accounts.ts';
import { analyticsContract } from './contract/analytics.ts';
import { headersContract } from './contract/headers.ts';
import { monitoringContract } from './contract/monitoring.ts';
import { operationsContract } from './contract/operations.ts';
import { refusalsContract } from './contract/refusals.ts';
import { videosContract } from './contract/videos.ts';

const clips = new Clips();
let clip = '';
beforeAll(async () => {
  clip = await clips.make({ duration: 1, width: 320, height: 240 });
});
afterAll(() => clips[Symbol.asyncDispose]());

const setting = { ...useSystem(), clip: () => clip };
accountsContract(setting);
videosContract(setting);
analyticsContract(setting);
headersContract(setting);
refusalsContract(setting);
operationsContract(setting);
monitoringContract(setting);
