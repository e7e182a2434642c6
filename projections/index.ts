import type { QualifiedDatabase } from '../src/projecting/tables/table.ts';
import type { accounts } from './accounts.ts';
import type { analytics } from './analytics.ts';
import type { likes } from './likes.ts';
import type { moderation } from './moderation.ts';
import type { sessions } from './sessions.ts';
import type { timeline } from './timeline/timeline.ts';
import type { videos } from './videos/videos.ts';

/** The tables that queries see: `Kysely<ReadModels>`, each by its projection and its name, such as `'videos.counts'`. */
export type ReadModels = QualifiedDatabase<
  | typeof accounts
  | typeof videos
  | typeof likes
  | typeof sessions
  | typeof analytics
  | typeof timeline
  | typeof moderation
>;
