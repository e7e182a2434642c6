import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { ReadModels } from '../../projections/index.ts';
import type { ReadModelSettings } from '../../projections/settings.ts';
import type { SharedClaims } from '../cache/claims.ts';
import type { QueryCache } from '../cache/queryCache.ts';
import type { DomainEvent } from '../core/event.ts';
import type { Names } from '../core/names.ts';
import type { EraseInPlace } from '../core/eraseInPlace.ts';
import type { EventCodec } from '../core/eventCodec.ts';
import type { EventStore } from '../core/eventStore.ts';
import type { EventDefinitions, EventTypeDefinition } from '../core/eventTypes.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { JobList } from '../jobs/jobList.ts';
import type { JobRetry } from '../jobs/jobRetry.ts';
import type { Queue, QueueWorker } from '../jobs/queue.ts';
import type { ShownLog } from '../core/shownLog.ts';
import type { UserKeyStore } from '../core/userKeys.ts';
import type { ProjectionProgress } from '../core/projectionProgress.ts';
import type { Route } from '../http/route.ts';
import type { Inspect } from '../media/inspecting/inspect.ts';
import type { Sandbox } from '../media/ffmpeg/sandbox.ts';
import type { Scratch } from '../media/scratch/scratch.ts';
import type { ObjectStore } from '../objectStore/objectStore.ts';
import type { Consumer } from '../projecting/consumer.ts';
import type { ErasedTables } from '../projecting/erasedTables.ts';
import type { Operations } from '../projecting/operations/operations.ts';
import type { ParkedEvents } from '../projecting/parking/createParkedEvents.ts';
import type { Projection } from '../projecting/projection.ts';
import type { ReadYourWrites } from '../projecting/readYourWrites.ts';
import type { WrittenRows } from '../projecting/writtenRows.ts';
import type { RateLimits } from '../rateLimits/rateLimits.ts';
import type { FeedRule, FeedRules, FeedTopic, NOBODY_HEARS } from '../realtime/feedDefinition.ts';
import type { ReportUploadProgress } from '../realtime/uploadProgress.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import type { ObserveMedia } from '../telemetry/jobMetrics.ts';
import type { Passwords } from './accounts/passwords.ts';
import type { SystemReport } from './operators/systemSchema.ts';
import type { Revocations } from './sessions/revocations.ts';
import type { Tokens } from './sessions/tokens.ts';

/** The definition of a feature. `index.ts` lists all features; the system is made from this list. */
export interface FeatureDefinition<Event extends DomainEvent> {
  /** Its folder. */
  readonly name: string;
  /** How its events are recorded in the log, and shown to people who read it. A missing type does not compile. */
  readonly events: EventDefinitions<Event>;
  /** Who gets its events. A missing type does not compile. */
  readonly feed: FeedRules<Event>;
  /** Kinds of topics that its feed pushes to, beside `me`. */
  readonly topics?: readonly FeedTopic[];
  /** Its read models. */
  readonly projections?: readonly Projection<ReadModelSettings>[];
  /** Groups of its routes in the OpenAPI document, each with a sentence. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Declares the routes. It must not use the context before a route is called. */
  routes?(context: ApiContext): readonly Route[];
  /** Its job queues. */
  readonly queues?: readonly Queue[];
  /** How an operator's retry is done for queues whose failures are recorded in the log. */
  jobRetries?(context: Pick<FeatureContext, 'store'>): readonly JobRetry[];
  /** What a worker process runs for the feature, except its projections. */
  work?(context: WorkerContext): FeatureWork;
}

/** A feature as the engine sees it, whatever its events are. */
export interface Feature<Event extends DomainEvent = DomainEvent> extends Omit<
  FeatureDefinition<Event>,
  'events' | 'feed' | 'projections'
> {
  readonly events: Readonly<Record<string, EventTypeDefinition>>;
  readonly feed: Readonly<Record<string, FeedRule | typeof NOBODY_HEARS>>;
  readonly projections: readonly Projection<ReadModelSettings>[];
  /** Exists only at compile time, for `EventOf`. */
  readonly event?: Event;
}

export type EventOf<F> = F extends Feature<infer Event> ? Event : never;

export function defineFeature<Event extends DomainEvent>(definition: FeatureDefinition<Event>): Feature<Event> {
  return { ...definition, projections: definition.projections ?? [] };
}

/** What a worker process (`reelstream media`, or the whole system) runs for a feature. */
export interface FeatureWork {
  /** What runs the jobs of its `queues`. */
  readonly workers?: readonly QueueWorker[];
  /** Keyed by the name of their consumer group. With Kafka, each group reads the log at its own pace. */
  readonly subscribers?: Readonly<Record<string, readonly Consumer[]>>;
  /** Work that is done at intervals. */
  readonly sweeps?: readonly Sweep[];
}

export interface Sweep {
  start(): void;
  close(): Promise<void> | void;
}

/** What every part of a feature may use. */
export interface FeatureContext {
  /** The event log, with decoded events. */
  readonly store: EventStore;
  /** The same log as it is stored: personal data is sealed. `codec` opens it. */
  readonly rawStore: Pick<EventStore, 'readAll' | 'readStream'>;
  /** The read models, and the tables of `migrations/`. */
  readonly db: Kysely<ReadModels>;
  readonly objects: ObjectStore;
  readonly files: MediaFiles;
  readonly reportProgress: ReportUploadProgress;
  readonly settings: FeatureSettings;
  readonly logger: Logger;
}

/** The parts that handle video files on this machine. */
export interface MediaFiles {
  readonly scratch: Scratch;
  readonly inspect: Inspect;
  /** Path of the program. */
  readonly ffmpeg: string;
  readonly ffmpegVersion: string;
  readonly sandbox: Sandbox;
}

/** The part of the configuration that features use. */
export interface FeatureSettings {
  /** `NODE_ENV=production`. */
  readonly production: boolean;
  /** `ADMIN_EMAILS`, as the operator wrote them. */
  readonly adminEmails: readonly string[];
  /** Whether the first account that registers becomes an admin. */
  readonly firstUserIsAdmin: boolean;
  readonly uploadWaitSeconds: number;
  readonly uploadQuota: { readonly maxVideos: number; readonly maxBytes: number };
  readonly mediaConcurrency: number;
}

/** What routes may use. */
export interface ApiContext extends FeatureContext {
  readonly codec: Pick<EventCodec, 'decode'>;
  readonly parked: ParkedEvents;
  /** The event log for people: without personal data. */
  readonly log: ShownLog;
  readonly readModels: ReadYourWrites & Pick<ProjectionProgress, 'onCommit'> & Pick<WrittenRows, 'written'>;
  readonly cache: QueryCache;
  readonly rateLimits: RateLimits;
  readonly claims: SharedClaims;
  readonly operations: Operations;
  /** The jobs of all queues, for operators. */
  readonly jobList: JobList;
  /** What runs, and on which engines. */
  system(): Promise<SystemReport>;
  readonly tokens: Tokens;
  /** Must be told of each event that ends sessions. */
  readonly revocations: Pick<Revocations, 'add'>;
  readonly passwords: Passwords;
  /** Keyed hashes that stand for personal values. */
  readonly hmac: Names;
  /** Sign the cookies of known devices: the first one signs, all are accepted. */
  readonly deviceSecrets: () => readonly string[];
  /** Registers a function that is called when the API stops, after its last request. */
  onClose(close: () => Promise<void> | void): void;
}

/** What a worker may use. */
export interface WorkerContext extends FeatureContext {
  readonly keys: Pick<UserKeyStore, 'forget'>;
  readonly eraseInPlace: EraseInPlace | undefined;
  readonly erasedTables: ErasedTables;
  readonly tracing: Tracing;
  /** Adds jobs to the features' queues, and cancels them. */
  readonly jobs: Pick<Jobs, 'add' | 'cancel'>;
  /** Told how long a job worked on a clip. Without it nobody is told. */
  readonly observeMedia?: ObserveMedia;
  /** The id of the first event, also in a copy of the log; null while the log is empty. */
  logId(): Promise<string | null>;
}
