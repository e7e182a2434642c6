import { createRequire } from 'node:module';
import { Kafka, logLevel, type ISocketFactory } from 'kafkajs';
import type { Logger } from 'pino';

export interface KafkaClientOptions {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly log: Logger;
  readonly socketFactory?: ISocketFactory;
}

/** Connects when it is first used. Retries are few and short: those who use it begin anew, from what is durable. */
export function createKafkaClient({ brokers, clientId, log, socketFactory }: KafkaClientOptions): Kafka {
  return new Kafka({
    clientId,
    brokers: [...brokers],
    socketFactory,
    connectionTimeout: 3_000,
    requestTimeout: 10_000,
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 3 },
    logLevel: logLevel.WARN,
    // Whoever uses the client says what a failure means; kafkajs tells each try.
    logCreator:
      () =>
      ({ namespace, log: { message, error } }) =>
        log.debug({ namespace, error: error as unknown }, message),
  });
}

interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

/**
 * kafkajs 2.2.4 looks for pending requests every millisecond, on each connection, from its first answer on, and where an
 * answer comes late also after its end (tulios/kafkajs#1704, #1751). Only what is pending needs a look.
 */
function lookOnlyForPendingRequests(): void {
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as {
    prototype: RequestQueue;
  };
  const schedule = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0) schedule.call(this);
  };
}
lookOnlyForPendingRequests();
