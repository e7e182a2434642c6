import { describe, test } from '@jest/globals';
import { given } from '../../core/spec.ts';
import { dismissalDecider, reportDecider, type DismissReports, type ReportVideo } from './decider.ts';
import type { ReportsDismissed, VideoReported } from './events.ts';

const at = '2025-03-01T12:00:00.000Z';
const data = { videoId: 'v1', ownerId: 'ann', reporterId: 'bob', reason: 'spam', text: 'Look.', at } as const;
const report: ReportVideo = { type: 'ReportVideo', ...data };
const reported: VideoReported = { type: 'VideoReported', data };

describe('a report', () => {
  test('is recorded', () => given(reportDecider, []).when(report).then([reported]));
  test('is made once, whatever the reason of the second one is', () => {
    given(reportDecider, [reported]).when(report).thenNothing();
    given(reportDecider, [reported])
      .when({ ...report, reason: 'violence' })
      .thenNothing();
  });
  test('of an own video is refused', () =>
    given(reportDecider, [])
      .when({ ...report, reporterId: 'ann' })
      .thenThrows('own_video'));
});

describe('dismissing reports', () => {
  const decision = { videoId: 'v1', ownerId: 'ann', by: 'cleo', reason: 'Nothing is wrong.', at };
  const dismiss = (reports: number): DismissReports => ({ type: 'DismissReports', ...decision, reports });
  const dismissed = (reports: number): ReportsDismissed => ({
    type: 'ReportsDismissed',
    data: { ...decision, reports },
  });

  test('is recorded', () =>
    given(dismissalDecider, [])
      .when(dismiss(2))
      .then([dismissed(2)]));
  test('changes nothing without a report since', () =>
    given(dismissalDecider, [dismissed(2)])
      .when(dismiss(2))
      .thenNothing());
  test('is recorded again for a report since', () =>
    given(dismissalDecider, [dismissed(2)])
      .when(dismiss(3))
      .then([dismissed(3)]));
});
