import { describe, expect } from '@jest/globals';
import { clip } from '../support/clips.ts';
import { eventually } from '../support/eventually.ts';
import { call, getVideo, newPeople, newPerson, someone, uploaded, type Me } from '../support/systemClient.ts';
import { useSystem } from '../support/useSystem.ts';

const { system, systemTest } = useSystem({
  environment: {
    RATE_LIMIT_ENABLED: 'true',
    RATE_LIMIT_LOGIN_MAX: '20',
    RATE_LIMIT_WINDOW_SECONDS: '3600',
    RATE_LIMIT_VIEWERS: '6',
  },
});

describe('rate limits', () => {
  systemTest('many accounts with one address cause few views', async () => {
    const api = system().api();
    const owner = await newPerson(api);
    const [watched, fence] = [
      await uploaded(api, owner.token, await clip('plain')),
      await uploaded(api, owner.token, await clip('plain')),
    ];
    // Create all accounts first: on a busy machine that can take longer than the minute of the limit.
    const viewers = await newPeople(14, () => api);
    for (const { token } of viewers) await getVideo(api, watched.id, { token });
    // This view is recorded after all others.
    await getVideo(api, fence.id, { token: owner.token });
    const views = async (id: string): Promise<number> =>
      (await call<Me>(api, 'GET', '/api/v1/auth/me', { token: owner.token })).data.videos.find(
        (video) => video.id === id,
      )!.viewCount;
    await eventually(() => views(fence.id), { what: 'the last view is counted', holds: (count) => count === 1 });
    expect(await views(watched.id)).toBe(6);
  });

  systemTest('every API tells a client that guesses passwords to wait', async () => {
    const { email } = someone();
    const guess = (api: string) => call(api, 'POST', '/api/v1/auth/login', { json: { email, password: 'guess-1!' } });
    const answers = [await guess(system().api())];
    expect(answers[0]!.headers.get('ratelimit-limit')).toMatch(/^\d+$/);
    while (answers.length < 50 && answers.at(-1)!.status === 401) answers.push(await guess(system().api()));
    const refused = answers.at(-1)!;
    expect(refused.body).toMatchObject({ success: false, statusCode: 429, code: expect.any(String) });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    // When Redis does not answer in time, an API counts by itself for a moment.
    for (const api of system().apis)
      await eventually(async () => (await guess(api)).status, {
        what: `${api} refuses as well`,
        holds: (status) => status === 429,
      });
    // Health probes are never refused.
    for (const api of system().apis) expect((await fetch(`${api}/health/live`)).status).toBe(200);
  });
});
