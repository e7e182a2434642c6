import { Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js';
import type { sendUnaryData, ServerUnaryCall, UntypedHandleCall } from '@grpc/grpc-js';
import gossip from '@eventstore/db-client/generated/gossip_pb.js';
import type { ClusterInfo } from '@eventstore/db-client/generated/gossip_pb.js';
import gossipService from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import features from '@eventstore/db-client/generated/serverfeatures_pb.js';
import type { SupportedMethods } from '@eventstore/db-client/generated/serverfeatures_pb.js';
import featuresService from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import type { Empty } from '@eventstore/db-client/generated/shared_pb.js';
import streamsService from '@eventstore/db-client/generated/streams_grpc_pb.js';
import { createAppendService } from './appendService.ts';
import { createFaults, type Faults } from './faults.ts';
import { createDoubleLog, type DoubleLog } from './log.ts';
import { createNetwork } from './network.ts';
import { createReadService, type LiveSubscription } from './readService.ts';

export interface EventStoreDbDoubleOptions {
  /** Shared by the nodes of a cluster. */
  readonly log?: DoubleLog;
  /** Whether it announces batch append, as servers from 21.10 on do; true by default. */
  readonly batchAppend?: boolean;
  /** Whether it says when a subscription has caught up, as servers from 23.10 on do; true by default. */
  readonly saysCaughtUp?: boolean;
}

/**
 * Stands in for an EventStoreDB server, which no package registry has: the same gRPC services, on the client's own
 * generated definitions, over real connections, with a log in memory. It answers as the server's sources say it does,
 * and misbehaves on request.
 */
export interface EventStoreDbDouble extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly log: DoubleLog;
  readonly faults: Faults;
  readonly connections: number;
  readonly subscriptions: ReadonlySet<LiveSubscription>;
  /** Reads under way, subscriptions not included. */
  readonly reads: number;
  /** The process dies: connections break, the port refuses, recent ids are forgotten; the log stays. */
  kill(): Promise<void>;
  /** Back on the same port. */
  revive(): Promise<void>;
  /** Connections that exist hang from now on; new ones work. */
  freeze(): void;
  /** From now on another node is the leader: whoever requires one is sent there. Undefined: this one is. */
  follow(leader: { readonly port: number } | undefined): void;
  /** Resolves when nobody is connected any more. */
  idle(): Promise<void>;
}

export async function startEventStoreDbDouble(options: EventStoreDbDoubleOptions = {}): Promise<EventStoreDbDouble> {
  const log = options.log ?? createDoubleLog();
  const faults = createFaults();
  const appends = createAppendService(log, faults);
  const reads = createReadService(log, faults);
  reads.saysCaughtUp = options.saysCaughtUp ?? true;
  let leader: { readonly port: number } | undefined;

  /** Sends those who require the leader to it. */
  function byLeader<Call extends { metadata: Metadata; emit(event: 'error', error: object): boolean }, Answer>(
    handle: (call: Call, answer: sendUnaryData<Answer>) => void,
  ): UntypedHandleCall {
    return ((call: Call, answer?: sendUnaryData<Answer>) => {
      if (leader === undefined || call.metadata.get('requires-leader')[0] !== 'true') return handle(call, answer!);
      const metadata = new Metadata();
      metadata.set('exception', 'not-leader');
      metadata.set('leader-endpoint-host', '127.0.0.1');
      metadata.set('leader-endpoint-port', String(leader.port));
      const error = { code: status.NOT_FOUND, details: 'Leader info available', metadata };
      if (answer === undefined) call.emit('error', error);
      else answer(error);
    }) as unknown as UntypedHandleCall;
  }

  const server = new Server({ 'grpc.max_receive_message_length': 17 * 1024 * 1024 });
  server.addService(streamsService.StreamsService, {
    append: byLeader(appends.append),
    batchAppend: byLeader(appends.batchAppend),
    read: byLeader(reads.read),
    delete: unimplemented,
    tombstone: unimplemented,
  });
  server.addService(featuresService.ServerFeaturesService, {
    getSupportedMethods: (_: unknown, answer: sendUnaryData<SupportedMethods>) => {
      if (faults.next('features') === undefined) answer(null, supportedMethods(options.batchAppend ?? true));
    },
  });
  server.addService(gossipService.GossipService, {
    read: (_: ServerUnaryCall<Empty, ClusterInfo>, answer: sendUnaryData<ClusterInfo>) => answer(null, clusterOf(network.port, leader)),
  });
  const { promise: bound, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => (error === null ? resolve(port) : reject(error)));
  const network = await createNetwork(await bound);

  return {
    url: `esdb://127.0.0.1:${network.port}?tls=false`,
    port: network.port,
    log,
    faults,
    subscriptions: reads.subscriptions,
    get reads() {
      return reads.reads.size;
    },
    get connections() {
      return network.connections;
    },
    kill: async () => {
      await network.down();
      log.forgetRecentIds();
    },
    revive: () => network.up(),
    freeze: () => network.freeze(),
    idle: () => network.idle(),
    follow: (node) => {
      leader = node;
    },
    [Symbol.asyncDispose]: async () => {
      await network[Symbol.asyncDispose]();
      server.forceShutdown();
    },
  };
}

function unimplemented(_: unknown, answer: sendUnaryData<never>): void {
  answer({ code: status.UNIMPLEMENTED, details: 'not part of the double' });
}

function supportedMethods(batchAppend: boolean): SupportedMethods {
  const answer = new features.SupportedMethods().setEventStoreServerVersion('24.10.0');
  for (const name of ['Append', 'Read', ...(batchAppend ? ['BatchAppend'] : [])]) {
    answer.addMethods(new features.SupportedMethod().setServiceName('event_store.client.streams.Streams').setMethodName(name.toLowerCase()));
  }
  return answer;
}

function clusterOf(own: number, leader: { readonly port: number } | undefined): ClusterInfo {
  const { LEADER, FOLLOWER } = gossip.MemberInfo.VNodeState;
  const members = leader === undefined ? [[own, LEADER] as const] : [[own, FOLLOWER] as const, [leader.port, LEADER] as const];
  return new gossip.ClusterInfo().setMembersList(
    members.map(([port, state]) =>
      new gossip.MemberInfo()
        .setInstanceId(new shared.UUID().setString(crypto.randomUUID()))
        .setTimeStamp('0')
        .setState(state)
        .setIsAlive(true)
        .setHttpEndPoint(new gossip.EndPoint().setAddress('127.0.0.1').setPort(port)),
    ),
  );
}
