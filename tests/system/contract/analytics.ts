import { describe, expect } from '@jest/globals';
import { eventually } from '../../support/eventually.ts';
import {
  call,
  getVideo,
  newPeople,
  newPerson,
  setLike,
  toggleLike,
  uploaded,
  type Analytics,
} from '../../support/systemClient.ts';
import type { Setting } from './setting.ts';

export function analyticsContract({ system, systemTest, clip }: Setting): void {
  const analytics = (token: string, query: string) =>
    call<Analytics>(system().api(), 'GET', `/api/v1/analytics?${query}`, { token });

  describe('analytics', () => {
    systemTest('show views, likes and uploads of the caller’s own videos by day', async () => {
      const firstDay = today();
      const owner = await newPerson(system().api());
      const fans = await newPeople(4, system().api);
      const popular = await uploaded(system().api(), owner.token, clip(), { title: 'popular' });
      const quiet = await uploaded(system().api(), owner.token, clip(), { title: 'quiet' });
      for (const fan of fans) {
        await getVideo(system().api(), popular.id, { token: fan.token });
        await setLike(system().api(), popular.id, fan.token);
      }
      await getVideo(system().api(), quiet.id, { token: fans[0]!.token });
      await toggleLike(system().api(), popular.id, fans[0]!.token);

      const range = `startDate=${firstDay}&endDate=${today()}`;
      const { data } = await eventually(() => analytics(owner.token, range), {
        what: 'all views, likes and uploads are in the analytics',
        holds: (answer) =>
          answer.data?.totalViews === 5 && answer.data.totalLikes === 3 && answer.data.totalUploads === 2,
      });
      expect(data.engagementRate).toBe(60);
      expect(sum(data.viewsOverTime)).toBe(5);
      expect(sum(data.likesOverTime)).toBe(3);
      for (const { date } of [...data.viewsOverTime, ...data.likesOverTime])
        expect([firstDay, today()]).toContain(date);
      expect(data.topVideos[0]).toMatchObject({ id: popular.id, title: 'popular', viewCount: 4, likeCount: 3 });
      expect(data.topVideos[1]).toMatchObject({ id: quiet.id, title: 'quiet', viewCount: 1, likeCount: 0 });

      const fan = await analytics(fans[1]!.token, range);
      expect(fan.data).toMatchObject({
        totalViews: 0,
        totalLikes: 0,
        totalUploads: 0,
        engagementRate: 0,
        topVideos: [],
      });
      const before = await analytics(owner.token, 'startDate=2025-01-01&endDate=2025-02-01');
      expect(before.data).toMatchObject({ totalViews: 0, totalLikes: 0, totalUploads: 0 });
    });

    systemTest('31 February, as in the original server’s own example, is the last day of February', async () => {
      const person = await newPerson(system().api());
      expect((await analytics(person.token, 'startDate=2025-01-01&endDate=2025-02-31')).status).toBe(200);
      expect((await analytics(person.token, 'startDate=2025-02-31&endDate=2025-02-28')).status).toBe(200);
    });

    for (const query of [
      'startDate=2025-13-01&endDate=2025-12-01',
      'startDate=yesterday&endDate=today',
      'startDate=2025-02-02&endDate=2025-02-01',
      'startDate=2025-01-32&endDate=2025-02-01',
    ]) {
      systemTest(`${query} is refused`, async () => {
        const person = await newPerson(system().api());
        const answer = await analytics(person.token, query);
        expect([answer.status, answer.body.success]).toEqual([400, false]);
      });
    }
  });
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}

function sum(days: readonly { readonly count: number }[]): number {
  return days.reduce((total, { count }) => total + count, 0);
}
