import type { RecordedEvent } from '../src/core/event.ts';
import {
  reportReasons,
  type ReportReason,
  type ReportsDismissed,
  type VideoReported,
} from '../src/features/moderation/events.ts';
import type { VideoDeleted, VideoHidden, VideoRemoved, VideoRestored } from '../src/features/videos/events.ts';
import { defineProjection } from '../src/projecting/projection.ts';
import { int8, oneOf, table, text, timestamptz, uuid, type NewRow } from '../src/projecting/tables/table.ts';
import { upsert } from '../src/projecting/tables/upsert.ts';
import { streamSubject } from './streamSubject.ts';

const reportsTable = table(
  'reports',
  { video_id: uuid, reporter_id: uuid, reason: oneOf(...reportReasons), reported_at: timestamptz, position: int8 },
  {
    primaryKey: ['video_id', 'reporter_id'],
    indexes: {
      of_video: { columns: ['video_id', 'position desc'] },
      of_reporter: { columns: ['reporter_id', 'position desc'] },
    },
  },
);

/** One row for each video that was reported, or that a moderator or its owner has decided about. */
const casesTable = table(
  'cases',
  {
    video_id: uuid,
    owner_id: uuid,
    /** Number of reports for each reason. */
    ...eachReason(() => int8),
    /** Position of the newest report; 0 without one. */
    newest_report: int8,
    /**
     * Position of the last decision; 0 without one. A decision is on all reports before it. Positions, because the reports of a
     * video and the decisions on it are in several streams, whose events may come in any order.
     */
    decided: int8,
  },
  {
    primaryKey: ['video_id'],
    indexes: {
      open: { columns: ['newest_report desc'], where: 'newest_report > decided' },
      decided: { columns: ['newest_report desc'], where: 'newest_report > 0 and newest_report <= decided' },
      of_owner: { columns: ['owner_id'], where: 'newest_report > 0' },
    },
  },
);

/** The last decision on each video. All decisions, and why, are in the log. */
const decisionsTable = table(
  'decisions',
  {
    video_id: uuid,
    decision: oneOf('dismissed', 'hidden', 'restored', 'removed', 'deleted'),
    /** The id of the admin or of the owner, or `command line`. */
    decided_by: text,
    decided_at: timestamptz,
    position: int8,
  },
  { primaryKey: ['video_id'] },
);

type Decided = ReportsDismissed | VideoHidden | VideoRestored | VideoRemoved | VideoDeleted;
type Event = RecordedEvent<VideoReported | Decided>;

/** Reports of videos, and what was decided. What people wrote is only in the log. */
export const moderation = defineProjection({
  name: 'moderation',
  version: 1,
  tables: [reportsTable, casesTable, decisionsTable],
  handles: ['VideoReported', 'ReportsDismissed', 'VideoHidden', 'VideoRestored', 'VideoRemoved', 'VideoDeleted'],
  independentBy: streamSubject,

  async apply(events: readonly Event[], db) {
    const reports: NewRow<typeof reportsTable>[] = [];
    const cases = new Map<string, NewCase>();
    const decisions = new Map<string, NewRow<typeof decisionsTable>>();
    for (const event of events) {
      const { videoId: video_id, ownerId: owner_id, at } = event.data;
      const position = String(event.position);
      const row = cases.get(video_id) ?? {
        video_id,
        owner_id,
        ...eachReason(() => 0),
        newest_report: '0',
        decided: '0',
      };
      cases.set(video_id, row);
      if (event.type === 'VideoReported') {
        const { reporterId: reporter_id, reason } = event.data;
        reports.push({ video_id, reporter_id, reason, reported_at: at, position });
        row[reason] += 1;
        row.newest_report = later(row.newest_report, position);
      } else {
        row.decided = later(row.decided, position);
        const before = decisions.get(video_id);
        if (before !== undefined && later(String(before.position), position) !== position) continue;
        const [decision, decided_by] = decisionOf(event);
        decisions.set(video_id, { video_id, decision, decided_by, decided_at: at, position });
      }
    }
    await upsert(db, reportsTable, reports);
    await upsert(db, casesTable, [...cases.values()], {
      keep: ['owner_id'],
      add: reportReasons,
      greatest: ['newest_report', 'decided'],
    });
    await upsert(db, decisionsTable, [...decisions.values()], { onlyIfGreater: 'position' });
  },
});

type NewCase = NewRow<typeof casesTable> & Record<ReportReason, number> & { newest_report: string; decided: string };

function later(one: string, other: string): string {
  return BigInt(one) > BigInt(other) ? one : other;
}

function decisionOf({ type, data }: RecordedEvent<Decided>): [NewRow<typeof decisionsTable>['decision'], string] {
  switch (type) {
    case 'ReportsDismissed':
      return ['dismissed', data.by];
    case 'VideoHidden':
      return ['hidden', data.by];
    case 'VideoRestored':
      return ['restored', data.by];
    case 'VideoRemoved':
      return ['removed', data.by];
    case 'VideoDeleted':
      return ['deleted', data.ownerId];
  }
}

function eachReason<Value>(valueOf: (reason: ReportReason) => Value): Record<ReportReason, Value> {
  return Object.fromEntries(reportReasons.map((reason) => [reason, valueOf(reason)])) as Record<ReportReason, Value>;
}
