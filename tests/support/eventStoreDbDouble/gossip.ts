import { Metadata, status, type StatusObject } from '@grpc/grpc-js';
import gossip from '@eventstore/db-client/generated/gossip_pb.js';
import type { ClusterInfo } from '@eventstore/db-client/generated/gossip_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';

export interface Node {
  readonly port: number;
}

/** What a node knows about the leader of its cluster, and the calls that it refuses for that reason. */
export interface Membership {
  /** From now on another node is the leader, alive or not. Undefined: this node is. */
  follow(leader: Node | undefined): void;
  /** From now on there is no leader, until `follow` is called. */
  elect(): void;
  /** Number of calls refused so far. */
  readonly refused: number;
  clusterInfo(own: Node): ClusterInfo;
  /** The error for a call that requires the leader, when this node is not the leader. */
  refusal(metadata: Metadata): Partial<StatusObject> | undefined;
}

/** Source: RpcExceptions.ServerNotReady of KurrentDB. */
export const NOT_READY = { code: status.UNAVAILABLE, details: 'Server Is Not Ready' };

export function createMembership(): Membership {
  let leader: Node | undefined;
  let electing = false;
  let refused = 0;

  return {
    follow: (node) => {
      [leader, electing] = [node, false];
    },
    elect: () => {
      [leader, electing] = [undefined, true];
    },
    get refused() {
      return refused;
    },
    clusterInfo: (own) => {
      const { LEADER, FOLLOWER, UNKNOWN } = gossip.MemberInfo.VNodeState;
      if (electing) return clusterOf([[own, UNKNOWN]]);
      return clusterOf(
        leader === undefined
          ? [[own, LEADER]]
          : [
              [own, FOLLOWER],
              [leader, LEADER],
            ],
      );
    },
    // Source: ClusterVNodeController of KurrentDB. During an election nodes are in the states Unknown or
    // DiscoverLeader.
    refusal: (metadata) => {
      if (!electing && (leader === undefined || metadata.get('requires-leader')[0] !== 'true')) return undefined;
      refused++;
      return leader === undefined ? NOT_READY : notLeader(leader);
    },
  };
}

/** Source: RpcExceptions.LeaderInfo of KurrentDB. */
function notLeader({ port }: Node): Partial<StatusObject> {
  const metadata = new Metadata();
  metadata.set('exception', 'not-leader');
  metadata.set('leader-endpoint-host', '127.0.0.1');
  metadata.set('leader-endpoint-port', String(port));
  return { code: status.NOT_FOUND, details: 'Leader info available', metadata };
}

type State = gossip.MemberInfo.VNodeState;

function clusterOf(members: readonly (readonly [Node, State])[]): ClusterInfo {
  return new gossip.ClusterInfo().setMembersList(
    members.map(([{ port }, state]) =>
      new gossip.MemberInfo()
        .setInstanceId(new shared.UUID().setString(crypto.randomUUID()))
        .setTimeStamp('0')
        .setState(state)
        .setIsAlive(true)
        .setHttpEndPoint(new gossip.EndPoint().setAddress('127.0.0.1').setPort(port)),
    ),
  );
}
