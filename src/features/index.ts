import type { ReadModelSettings } from '../../projections/settings.ts';
import type { EventTypeDefinition } from '../core/eventTypes.ts';
import type { Route } from '../http/route.ts';
import type { JobRetry } from '../jobs/jobRetry.ts';
import { projectionConsumer, type Consumer } from '../projecting/consumer.ts';
import { collectFeed } from '../realtime/feedDefinition.ts';
import { accounts } from './accounts/index.ts';
import { analytics } from './analytics/index.ts';
import { erasure } from './erasure/index.ts';
import { eventLog } from './eventLog/index.ts';
import type { ApiContext, EventOf, FeatureContext, FeatureWork, WorkerContext } from './feature.ts';
import { likes } from './likes/index.ts';
import { moderation } from './moderation/index.ts';
import { operators } from './operators/index.ts';
import { sessions } from './sessions/index.ts';
import { videos } from './videos/index.ts';
import { views } from './views/index.ts';

/** All features. The events, read models, routes and feed of the system come from this list. */
export const features = [
  accounts,
  sessions,
  videos,
  likes,
  views,
  analytics,
  moderation,
  operators,
  eventLog,
  erasure,
] as const;

/** Every event that can be in the log. */
export type ReelStreamEvent = EventOf<(typeof features)[number]>;

/** How each of these events is recorded in the log. */
export const eventTypes: Readonly<Record<ReelStreamEvent['type'], EventTypeDefinition>> = collectEventTypes();

export const projections = features.flatMap((feature) => feature.projections);

/** What the engine delivers events to, so that the projections are up to date under these settings. */
export function readModelConsumers(settings: ReadModelSettings): Consumer[] {
  return projections.map((projection) => projectionConsumer(projection, settings));
}

export const feed = collectFeed(features);

export const queues = features.flatMap((feature) => feature.queues ?? []);

export function jobRetries(context: Pick<FeatureContext, 'store'>): JobRetry[] {
  return features.flatMap((feature) => feature.jobRetries?.(context) ?? []);
}

/** The groups of routes in the OpenAPI document. */
export const routeTags: Readonly<Record<string, string>> = Object.assign({}, ...features.map(({ tags }) => tags));

export function apiRoutes(context: ApiContext): Route[] {
  return features.flatMap((feature) => feature.routes?.(context) ?? []);
}

export function featureWork(context: WorkerContext): FeatureWork[] {
  return features.flatMap((feature) => feature.work?.(context) ?? []);
}

function collectEventTypes(): typeof eventTypes {
  const entries = features.flatMap(({ name, events }) =>
    Object.entries(events).map(([type, definition]) => ({ name, type, definition })),
  );
  const byType = Map.groupBy(entries, ({ type }) => type);
  for (const [type, [one, other]] of byType) {
    if (other !== undefined) throw new Error(`${type} is an event of two features: ${one!.name} and ${other.name}`);
  }
  return Object.fromEntries(entries.map(({ type, definition }) => [type, definition])) as typeof eventTypes;
}
