import { status } from '@grpc/grpc-js';

/** What differs between versions, settings and load of servers. Tests may change it while the double runs. */
export interface Behaviour {
  /** Largest append: the sum of its events. Source: `MaxAppendSize` in ClusterVNodeOptions.cs. */
  maxAppendBytes: number;
  /** Largest event. Source: `MaxAppendEventSize` in ClusterVNodeOptions.cs. */
  maxEventBytes: number;
  /** Milliseconds that the write of an append takes. */
  appendLatencyMs: number;
  /** Milliseconds that the read of a page of 32 events takes (`PAGE_EVENTS`). */
  pageLatencyMs: number;
  /**
   * Milliseconds after which an append that is not indexed yet fails. Source: `CommitTimeoutMs` in
   * ClusterVNodeOptions.cs.
   */
  commitTimeoutMs: number;
  /** Servers before 23.10 do not report that a subscription has caught up. */
  saysCaughtUp: boolean;
  /**
   * Servers before 24.2 abort a live subscription that falls behind (`ConsumerTooSlow` in
   * Enumerators.AllSubscription.cs of 23.10.6). Later ones report that it fell behind, and read on from the log
   * (Enumerator.AllSubscription.cs).
   */
  abortsSlowConsumers: boolean;
}

const MIB = 1_024 * 1_024;

/** Servers of 24.2 to 25.0. Source: ClusterVNodeOptions.cs of v25.0.0. */
export const upTo25_0: Behaviour = {
  maxAppendBytes: MIB,
  maxEventBytes: 2 ** 31 - 1,
  appendLatencyMs: 0,
  pageLatencyMs: 0,
  commitTimeoutMs: 2_000,
  saysCaughtUp: true,
  abortsSlowConsumers: false,
};

/** Servers from 25.1 on. Source: ClusterVNodeOptions.cs of v25.1.0, TFConsts.cs. */
export const from25_1: Behaviour = { ...upTo25_0, maxAppendBytes: 256 * MIB, maxEventBytes: 16 * MIB };

/** Events in a page that the server reads. Source: `DefaultReadBatchSize` in Enumerator.cs. */
export const PAGE_EVENTS = 32;

/**
 * Events that the server buffers for a live subscription. With more, the subscription has fallen behind. Source:
 * `DefaultLiveBufferSize` in Enumerator.cs.
 */
export const LIVE_BUFFER_EVENTS = 32;

/**
 * Streams on one HTTP/2 connection. Source: Kestrel's `Http2Limits.MaxStreamsPerConnection`, which Program.cs leaves at
 * its default.
 */
export const STREAMS_PER_CONNECTION = 100;

/** The error for an operation that took too long. Source: `RpcExceptions.Timeout`. */
export function timedOut(message: string): { code: status; details: string } {
  return { code: status.ABORTED, details: `Operation timed out: ${message}` };
}
