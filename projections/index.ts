import type { AccountsTables } from './accounts.ts';
import type { AnalyticsTables } from './analytics.ts';
import type { LikesTables } from './likes.ts';
import type { VideosTables } from './videos/tables.ts';

/** The tables that queries see: `Kysely<ReadModels>`, names qualified by the projection's schema. */
export interface ReadModels {
  'accounts.users': AccountsTables['users'];
  'videos.videos': VideosTables['videos'];
  'videos.counts': VideosTables['counts'];
  'videos.authors': VideosTables['authors'];
  'videos.totals': VideosTables['totals'];
  'likes.likes': LikesTables['likes'];
  'analytics.daily': AnalyticsTables['daily'];
  'analytics.videos': AnalyticsTables['videos'];
}
