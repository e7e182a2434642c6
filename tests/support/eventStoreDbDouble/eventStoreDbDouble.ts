import { Server, ServerCredentials, status, type Metadata } from '@grpc/grpc-js';
import type { sendUnaryData, ServerUnaryCall, UntypedHandleCall } from '@grpc/grpc-js';
import type { ClusterInfo } from '@eventstore/db-client/generated/gossip_pb.js';
import gossipService from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import features from '@eventstore/db-client/generated/serverfeatures_pb.js';
import type { SupportedMethods } from '@eventstore/db-client/generated/serverfeatures_pb.js';
import featuresService from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import type { Empty } from '@eventstore/db-client/generated/shared_pb.js';
import streamsService from '@eventstore/db-client/generated/streams_grpc_pb.js';
import { createAppendService } from './appendService.ts';
import { STREAMS_PER_CONNECTION, upTo25_0, type Behaviour } from './behaviour.ts';
import { createFaults, type Faults } from './faults.ts';
import { createMembership, type Node } from './gossip.ts';
import { createDoubleLog, type DoubleLog } from './log.ts';
import { createNetwork } from './network.ts';
import { createReadService, type LiveSubscription } from './readService.ts';

export interface EventStoreDbDoubleOptions {
  /** Shared by the nodes of a cluster. */
  readonly log?: DoubleLog;
  /** Differences from `upTo25_0`. */
  readonly behaviour?: Partial<Behaviour>;
}

/**
 * A test double of an EventStoreDB server, which no package registry has. It offers the same gRPC services, on the
 * client's generated definitions, over real connections, with a log in memory. It answers as the server's source code
 * does, and fails on request.
 */
export interface EventStoreDbDouble extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly log: DoubleLog;
  readonly faults: Faults;
  readonly behaviour: Behaviour;
  readonly connections: number;
  /** Number of connections that clients have opened so far. */
  readonly connectionsOpened: number;
  /** Number of calls refused so far because this node is not the leader. */
  readonly refused: number;
  readonly subscriptions: ReadonlySet<LiveSubscription>;
  /** Number of reads under way, without subscriptions. */
  readonly reads: number;
  /**
   * Behaves as a server that is killed: connections break, the port refuses, recent ids are forgotten. The log stays.
   */
  kill(): Promise<void>;
  /** Starts the server again on the same port. */
  revive(): Promise<void>;
  /** From now on the present connections hang. New ones work. */
  freeze(): void;
  /**
   * From now on another node is the leader, and calls that require the leader are sent there. Undefined: this node is.
   */
  follow(leader: Node | undefined): void;
  /** Begins an election: gossip names no member that could take a call. `follow` ends it. */
  elect(): void;
  /** Resolves when no client is connected any more. */
  idle(): Promise<void>;
}

export async function startEventStoreDbDouble(options: EventStoreDbDoubleOptions = {}): Promise<EventStoreDbDouble> {
  const log = options.log ?? createDoubleLog();
  const faults = createFaults();
  const membership = createMembership();
  const behaviour = { ...upTo25_0, ...options.behaviour };
  const appends = createAppendService(log, faults, behaviour);
  const reads = createReadService(log, faults, behaviour);

  /** Refuses calls that require the leader when this node is not the leader, and names the leader. */
  function byLeader<Call extends { metadata: Metadata; emit(event: 'error', error: object): boolean }, Answer>(
    handle: (call: Call, answer: sendUnaryData<Answer>) => void,
  ): UntypedHandleCall {
    return ((call: Call, answer?: sendUnaryData<Answer>) => {
      const error = membership.refusal(call.metadata);
      if (error === undefined) return handle(call, answer!);
      if (answer === undefined) call.emit('error', error);
      else answer(error);
    }) as unknown as UntypedHandleCall;
  }

  const server = new Server({
    'grpc.max_receive_message_length': 17 * 1024 * 1024,
    'grpc.max_concurrent_streams': STREAMS_PER_CONNECTION,
  });
  server.addService(streamsService.StreamsService, {
    append: byLeader(appends.append),
    batchAppend: refuseBatches,
    read: byLeader(reads.read),
    delete: unimplemented,
    tombstone: unimplemented,
  });
  server.addService(featuresService.ServerFeaturesService, {
    getSupportedMethods: (_: unknown, answer: sendUnaryData<SupportedMethods>) => answer(null, supportedMethods()),
  });
  server.addService(gossipService.GossipService, {
    read: (_: ServerUnaryCall<Empty, ClusterInfo>, answer: sendUnaryData<ClusterInfo>) =>
      answer(null, membership.clusterInfo(network)),
  });
  const { promise: bound, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
    error === null ? resolve(port) : reject(error),
  );
  const network = await createNetwork(await bound);

  return {
    url: `esdb://127.0.0.1:${network.port}?tls=false`,
    port: network.port,
    log,
    faults,
    behaviour,
    subscriptions: reads.subscriptions,
    get reads() {
      return reads.reads.size;
    },
    get connections() {
      return network.connections;
    },
    get connectionsOpened() {
      return network.opened;
    },
    get refused() {
      return membership.refused;
    },
    kill: async () => {
      await network.down();
      log.forgetRecentIds();
    },
    revive: () => network.up(),
    freeze: () => network.freeze(),
    idle: () => network.idle(),
    follow: membership.follow,
    elect: membership.elect,
    [Symbol.asyncDispose]: async () => {
      await network[Symbol.asyncDispose]();
      server.forceShutdown();
    },
  };
}

function unimplemented(_: unknown, answer: sendUnaryData<never>): void {
  answer({ code: status.UNIMPLEMENTED, details: 'not part of the double' });
}

/**
 * The store must not batch appends (`client.ts`). The double announces batches all the same, so that a batch makes
 * tests fail.
 */
function refuseBatches(call: { emit(event: 'error', error: object): boolean }): void {
  call.emit('error', { code: status.UNIMPLEMENTED, details: 'not part of the double' });
}

function supportedMethods(): SupportedMethods {
  const answer = new features.SupportedMethods().setEventStoreServerVersion('24.10.0');
  for (const name of ['Append', 'Read', 'BatchAppend']) {
    answer.addMethods(
      new features.SupportedMethod()
        .setServiceName('event_store.client.streams.Streams')
        .setMethodName(name.toLowerCase()),
    );
  }
  return answer;
}
