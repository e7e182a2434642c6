import { beforeAll } from '@jest/globals';
import { clip } from '../support/clips.ts';
import { useSystem } from '../support/useSystem.ts';
import { accountsContract } from './contract/accounts.ts';
import { analyticsContract } from './contract/analytics.ts';
import { clientMistakesContract } from './contract/clientMistakes.ts';
import { headersContract } from './contract/headers.ts';
import { monitoringContract } from './contract/monitoring.ts';
import { operationsContract } from './contract/operations.ts';
import { refusalsContract } from './contract/refusals.ts';
import { videosContract } from './contract/videos.ts';

let plain = '';
beforeAll(async () => {
  plain = await clip('plain');
});

const setting = { ...useSystem(), clip: () => plain };
accountsContract(setting);
videosContract(setting);
analyticsContract(setting);
headersContract(setting);
refusalsContract(setting);
operationsContract(setting);
monitoringContract(setting);
clientMistakesContract(setting);
