import { describe, expect } from '@jest/globals';
import { call, someone, type Answer } from '../support/systemClient.ts';
import { useSystem } from '../support/useSystem.ts';

const { system, systemTest } = useSystem({ environment: { RATE_LIMIT_ENABLED: 'true' } });

describe('rate limits', () => {
  systemTest('who keeps guessing passwords is told to wait, by every API alike', async () => {
    const { email } = someone();
    const guess = (api: string) => call(api, 'POST', '/api/v1/auth/login', { json: { email, password: 'guess-1!' } });
    let refused: Answer<unknown> | undefined;
    for (let tries = 0; tries < 500 && refused === undefined; tries += 1) {
      const answer = await guess(system().api());
      expect([401, 429]).toContain(answer.status);
      if (tries === 0) expect(answer.headers.get('ratelimit-limit') ?? answer.headers.get('ratelimit')).toBeTruthy();
      if (answer.status === 429) refused = answer;
    }
    expect(refused?.body).toMatchObject({ success: false, statusCode: 429, code: expect.any(String) });
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0);
    for (const api of system().apis) expect((await guess(api)).status).toBe(429);
    // What an orchestrator asks is never refused.
    for (const api of system().apis) expect((await fetch(`${api}/health/ready`)).status).toBe(200);
  });
});
