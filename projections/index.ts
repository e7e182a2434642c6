import type { Projection } from '../src/projecting/projection.ts';
import { accounts, type AccountsTables } from './accounts.ts';
import { analytics, type AnalyticsTables } from './analytics.ts';
import { likes, type LikesTables } from './likes.ts';
import type { VideosTables } from './videos/tables.ts';
import { videos } from './videos/videos.ts';

/** Every read model there is. The engine does not care which tables they have. */
export const projections = [accounts, videos, likes, analytics] as unknown as readonly Projection[];

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
