import { z } from 'zod';
import { exampleValues } from '../../http/documents/exampleValues.ts';
import { cleanedText, visibleLine } from '../../http/request/textSchemas.ts';
import { visibilities } from '../videos/index.ts';
import { reportReasons } from './events.ts';

export const moderatedStates = ['visible', 'hidden', 'removed', 'deleted'] as const;
export const decisions = ['dismissed', 'hidden', 'restored', 'removed', 'deleted', 'suspended', 'reinstated'] as const;

/** Why a moderator decides so. */
export const moderatorsReason = visibleLine({ max: 500 }).meta({
  description:
    'Why. It is recorded in the log, and shown to the user whom it concerns, unless the decision is to dismiss reports. It is lost when that user deletes the account.',
  examples: ['Shows a phone number.'],
});

export const reasonBody = z.object({ reason: moderatorsReason }).meta({ id: 'ModeratorsReason' });

const reportReason = z.enum(reportReasons).meta({ examples: ['harassment'] });

export const reportBody = z
  .object({
    reason: reportReason.meta({ description: 'What is wrong with the video.' }),
    text: cleanedText({ max: 1_000 })
      .optional()
      .meta({
        description: 'What moderators should know. Only they read it. It may be empty.',
        examples: ['At 0:12, the phone number of my neighbour is on the door.'],
      }),
  })
  .meta({ id: 'Report' });

const videoId = z.uuid().meta({ examples: [exampleValues.videoId] });
const userId = z.uuid().meta({ examples: [exampleValues.userId] });
const reportedAt = z.iso.datetime().meta({ examples: [exampleValues.updated] });
const by = z
  .string()
  .meta({ description: 'The id of the admin, or `command line`.', examples: [exampleValues.userId] });
const nullableText = (description: string, example: string | null) =>
  z
    .string()
    .nullable()
    .meta({ description, examples: [example] });

/** The report that is in force: of a repeat, the first one. */
export const ownReportSchema = z.object({ videoId, reason: reportReason, at: reportedAt });

const count = z
  .int32()
  .min(0)
  .meta({ examples: [1] });

const countsSchema = z
  .object({
    total: count,
    spam: count,
    violence: count,
    sexual: count,
    harassment: count,
    copyright: count,
    other: count,
  })
  .meta({ description: 'How many users have reported the video, and for which reasons.' });

const moderatedVideoSchema = z
  .object({
    id: videoId,
    title: z.string().meta({ examples: ['Test card'] }),
    description: z.string().meta({ examples: ['Four seconds'] }),
    uploadedBy: userId.meta({ description: 'The id of its owner.' }),
    user: z.object({
      name: z.string().meta({ examples: ['Ada Lovelace'] }),
      username: z.string().meta({ examples: ['ada'] }),
    }),
    createdAt: z.iso.datetime().meta({ examples: [exampleValues.created] }),
    status: z.enum(['processing', 'ready', 'failed']).meta({ examples: ['ready'] }),
    visibility: z.enum(visibilities).meta({ description: 'As its owner wants it.', examples: ['public'] }),
    state: z
      .enum(moderatedStates)
      .meta({
        description:
          '`hidden` and `removed`: by a moderator. `deleted`: by its owner. Otherwise `visible` to those whom `visibility` allows.',
        examples: ['visible'],
      }),
    url: nullableText('Where the MP4 is. Signed if only its owner can see the video. Null without files.', null),
    thumbnailUrl: nullableText('Where a JPEG picture of it is. As `url`.', null),
  })
  .meta({ id: 'ModeratedVideo' });

const reportSchema = z
  .object({
    reporterId: userId.meta({ description: 'Who reported the video.' }),
    reason: reportReason,
    text: nullableText('What they wrote; `forgotten` once they have deleted their account.', null),
    at: reportedAt,
  })
  .meta({ id: 'ReportOfVideo' });

/** A video with reports, in the queue. */
export const reportedVideoSchema = z
  .object({
    video: moderatedVideoSchema,
    counts: countsSchema,
    newest: reportSchema,
    isOpen: z
      .boolean()
      .meta({ description: 'Whether there are reports on which nobody has decided.', examples: [true] }),
    lastDecision: z
      .object({ decision: z.enum(decisions).meta({ examples: ['dismissed'] }), by, at: reportedAt })
      .nullable()
      .meta({ description: 'Null if nobody has decided about this video yet.' }),
  })
  .meta({ id: 'ReportedVideo' });

export const decisionSchema = z
  .object({
    decision: z.enum(decisions).meta({ examples: ['hidden'] }),
    by: by.meta({ description: 'The id of the admin or of the owner, or `command line`.' }),
    reason: nullableText('Null for what the owner did.', 'Shows a phone number.'),
    at: reportedAt,
    position: z.string().meta({ description: 'Its place in the log.', examples: [exampleValues.position] }),
  })
  .meta({ id: 'Decision' });

const suspension = z
  .object({ since: reportedAt, by, reason: z.string().meta({ examples: ['Uploads the same video again and again.'] }) })
  .nullable()
  .meta({ description: 'Null unless the user is suspended.' });

export const reportDetailsSchema = z.object({
  video: moderatedVideoSchema,
  counts: countsSchema,
  isOpen: z.boolean().meta({ examples: [true] }),
  owner: z.object({ id: userId, suspended: suspension }),
  reports: z.array(reportSchema).meta({ description: 'A page of the reports, newest first.' }),
  decisions: z.array(decisionSchema).meta({ description: 'All decisions about the video, oldest first.' }),
});

export const decidedSchema = z.object({
  videoId,
  state: z.enum(moderatedStates).meta({ examples: ['hidden'] }),
  filesMoved: z
    .boolean()
    .meta({
      description:
        'Whether the files already follow: those of a hidden or removed video can no longer be fetched under their public URLs. False: a job moves them, within seconds unless the object store is away.',
      examples: [true],
    }),
});

export const moderatedUserSchema = z
  .object({
    id: userId,
    name: z.string().meta({ examples: ['Ada Lovelace'] }),
    username: z.string().meta({ examples: ['ada'] }),
    createdAt: z.iso.datetime().meta({ examples: [exampleValues.created] }),
    isAdmin: z.boolean().meta({ examples: [false] }),
    suspended: suspension,
    videos: z.object({
      total: count.meta({ description: 'Without those that are deleted.' }),
      hidden: count,
      removed: count.meta({ description: 'By a moderator.' }),
    }),
    reports: z.object({
      received: count.meta({ description: "On this user's videos." }),
      open: count.meta({ description: 'Videos with reports on which nobody has decided.' }),
      made: count.meta({ description: 'By this user.' }),
    }),
    decisions: z.array(decisionSchema).meta({ description: 'Suspensions and their ends, oldest first.' }),
  })
  .meta({ id: 'ModeratedUser' });
