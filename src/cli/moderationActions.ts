import { v7 } from 'uuid';
import type { ReadModels } from '../../projections/index.ts';
import type { CommandContext } from '../core/commandContext.ts';
import {
  accountUnknown,
  findUserByEmail,
  forgetUser,
  nameHashOf,
  readUser,
  type RegisteredUser,
} from '../features/accounts/index.ts';
import {
  createModerationQueries,
  decisionsOnUser,
  decisionsOnVideo,
  dismissReports,
  moderateUser,
  moderateVideo,
  moderatorsReason,
  suspensionOf,
  withText,
  type CaseState,
  type Decision,
  type ModeratedVideo,
  type ModerationQueries,
  type UserDecision,
  type VideoDecision,
} from '../features/moderation/index.ts';
import { videoIdOf, videoNotFound } from '../features/videos/index.ts';
import { createQueryDatabase } from '../postgres/queryDatabase.ts';
import { UsageError } from './command.ts';
import { openLog, type OpenedLog } from './openLog.ts';
import { print, printJson, printTable, type Cell } from './output.ts';

const BY = 'command line';
/** All reports of a video are printed, up to this number. */
const MOST_REPORTS = 10_000;

export async function listReports(
  signal: AbortSignal,
  { state, limit, json = false }: { state: CaseState; limit: number; json?: boolean | undefined },
): Promise<number> {
  await using opened = await openLog('reports', signal);
  const { items } = await queriesOf(opened).queue({ state, before: undefined, limit });
  if (json)
    await printJson(items.map(({ video, newest, ...each }) => ({ video: withoutUrls(video), newest, ...each })));
  else if (items.length === 0) await print(`There are no ${state === 'open' ? 'open reports' : 'decided reports'}.\n`);
  else
    await printTable(
      ['video', 'title', 'of', 'state', 'reports', 'newest', 'at', 'last decision'],
      items.map(({ video, counts, newest, lastDecision }): Cell[] => [
        video.id,
        video.title,
        video.user.username,
        video.state,
        counts.total,
        newest.reason,
        newest.at,
        lastDecision === null ? undefined : `${lastDecision.decision} at ${lastDecision.at}`,
      ]),
    );
  return 0;
}

export async function showReports(signal: AbortSignal, id: string, json = false): Promise<number> {
  await using opened = await openLog('reports', signal);
  const { decodedStore: store } = opened;
  const queries = queriesOf(opened);
  const videoId = videoIdOf({ videoId: id });
  const found = await queries.caseOf(videoId);
  if (found === undefined) throw videoNotFound();
  const { items } = await queries.reportsOf(videoId, { before: undefined, limit: MOST_REPORTS });
  const [reports, decisions] = [await withText(store, items), await decisionsOnVideo(store, videoId)];
  const { video, counts, isOpen } = found;
  if (json) {
    await printJson({ video: withoutUrls(video), counts, isOpen, reports, decisions });
    return 0;
  }
  const { title, user, uploadedBy, state } = video;
  await print(`${JSON.stringify(title)} by ${user.username} (${uploadedBy}) is ${state}.\n\n`);
  if (reports.length === 0) await print('Nobody has reported it.\n');
  else
    await printTable(
      ['at', 'reason', 'reporter', 'text'],
      reports.map(({ at, reason, reporterId, text }) => [at, reason, reporterId, text ?? undefined]),
    );
  await printDecisions(decisions);
  return 0;
}

export async function dismiss(signal: AbortSignal, id: string, reason: string): Promise<number> {
  await using opened = await openLog('reports', signal);
  const deps = { store: opened.decodedStore, queries: queriesOf(opened) };
  const decided = await dismissReports(deps, videoIdOf({ videoId: id }), deciding(reason), context());
  await print(
    decided.events.length > 0
      ? 'The reports are dismissed. The video stays as it is.\n'
      : 'Nobody has reported the video since its reports were dismissed.\n',
  );
  return 0;
}

const ofVideo: Record<VideoDecision, { readonly done: string; readonly unchanged: string }> = {
  hide: {
    done: 'The video is hidden. The media workers move its files, within seconds if they run.\n',
    unchanged: 'The video was hidden before.\n',
  },
  restore: { done: 'The video is seen again.\n', unchanged: 'The video is not hidden.\n' },
  remove: {
    done: 'The video is removed. The media workers remove its files, within seconds if they run.\n',
    unchanged: 'The video was removed before.\n',
  },
};

export async function decideOnVideo(
  signal: AbortSignal,
  id: string,
  decision: VideoDecision,
  reason: string,
): Promise<number> {
  await using opened = await openLog('videos', signal);
  const videoId = videoIdOf({ videoId: id });
  const { events } = await moderateVideo(opened.decodedStore, videoId, decision, deciding(reason), context());
  await print(ofVideo[decision][events.length > 0 ? 'done' : 'unchanged']);
  return 0;
}

export async function showUser(signal: AbortSignal, who: string, json = false): Promise<number> {
  await using opened = await openLog('users', signal);
  const { decodedStore: store } = opened;
  const user = await findUser(opened, who);
  const numbers = await queriesOf(opened).numbersOf(user.id);
  const decisions = await decisionsOnUser(store, user.id);
  const { id, name, username, createdAt } = user;
  const suspended = suspensionOf(user);
  if (json) {
    await printJson({ id, name, username, createdAt, suspended, ...numbers, decisions });
    return 0;
  }
  const { videos, reports } = numbers;
  await printTable(
    ['id', 'username', 'since', 'suspended', 'videos', 'hidden', 'removed', 'reports received', 'open', 'made'],
    [
      [
        ...[id, username, createdAt, suspended?.since ?? 'no'],
        ...[videos.total, videos.hidden, videos.removed],
        ...[reports.received, reports.open, reports.made],
      ],
    ],
  );
  await printDecisions(decisions);
  return 0;
}

const ofUser: Record<UserDecision, { readonly done: string; readonly unchanged: string }> = {
  suspend: { done: 'is suspended. All sessions have ended.', unchanged: 'was suspended before.' },
  reinstate: { done: 'can log in again.', unchanged: 'is not suspended.' },
};

export async function decideOnUser(
  signal: AbortSignal,
  who: string,
  decision: UserDecision,
  reason: string,
): Promise<number> {
  await using opened = await openLog('users', signal);
  const { id, username } = await findUser(opened, who);
  const { events } = await moderateUser(opened.decodedStore, id, decision, deciding(reason), context());
  await print(`${username} (${id}) ${ofUser[decision][events.length > 0 ? 'done' : 'unchanged']}\n`);
  return 0;
}

/** For users who cannot delete their account themselves: they are suspended, or have lost their password. */
export async function forget(signal: AbortSignal, who: string, isSure = false): Promise<number> {
  await using opened = await openLog('users', signal);
  const { id, username } = await findUser(opened, who);
  if (!isSure)
    throw new UsageError(
      `${username} (${id}) and their videos would be deleted for good. Run the command again with --yes to do so.`,
    );
  await forgetUser(opened.decodedStore, id, context());
  await print(
    `The account ${id} is deleted. The media workers erase what is known of the user, within seconds if they run.\n`,
  );
  return 0;
}

/** @throws DomainError `account_unknown` */
async function findUser({ decodedStore: store, names }: OpenedLog, who: string): Promise<RegisteredUser> {
  const user = who.includes('@')
    ? await findUserByEmail(store, nameHashOf({ hmac: names }), who)
    : await readUser(store, who.toLowerCase());
  if (user?.status !== 'registered') throw accountUnknown();
  return user;
}

/** The command line does not open the object store, so it prints no URLs. */
function queriesOf({ pool }: OpenedLog): ModerationQueries {
  return createModerationQueries({ db: createQueryDatabase<ReadModels>(pool), urls: { url: (key) => key } });
}

function withoutUrls({ url: _, thumbnailUrl: __, ...video }: ModeratedVideo): object {
  return video;
}

function deciding(text: string): { readonly by: string; readonly reason: string } {
  const { data: reason, error } = moderatorsReason.safeParse(text);
  if (error !== undefined) throw new UsageError(`The reason ${error.issues[0]!.message}.`);
  return { by: BY, reason };
}

const context = (): CommandContext => ({ correlationId: v7(), now: new Date() });

async function printDecisions(decisions: readonly Decision[]): Promise<void> {
  if (decisions.length === 0) return;
  await print('\n');
  await printTable(
    ['decided at', 'decision', 'by', 'reason'],
    decisions.map(({ at, decision, by, reason }) => [at, decision, by, reason ?? undefined]),
  );
}
