import { createRequire } from 'node:module';
import { Kafka, logLevel, type ISocketFactory } from 'kafkajs';
import type { Logger } from 'pino';

export interface KafkaClientOptions {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly logger: Logger;
  readonly socketFactory?: ISocketFactory;
}

/**
 * Connects when it is first used. Retries are few and short: the relay and the source start again by themselves, from
 * durable state.
 */
export function createKafkaClient({ brokers, clientId, logger, socketFactory }: KafkaClientOptions): Kafka {
  return new Kafka({
    clientId,
    brokers: [...brokers],
    socketFactory,
    connectionTimeout: 3_000,
    requestTimeout: 10_000,
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 3 },
    logLevel: logLevel.WARN,
    // kafkajs logs every try. The code that uses the client logs what a failure means.
    logCreator:
      () =>
      ({ namespace, log: { message, error } }) =>
        logger.debug({ namespace, error: error as unknown }, message),
  });
}

interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

/**
 * kafkajs 2.2.4 checks each connection for pending requests every millisecond, from the first answer on. When an answer
 * comes late, the checks even go on after the connection's end (tulios/kafkajs#1704, #1751). This makes it check only
 * while a request is pending.
 */
function checkOnlyWhileRequestsPend(): void {
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as {
    prototype: RequestQueue;
  };
  const schedule = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0) schedule.call(this);
  };
}
checkOnlyWhileRequestsPend();
