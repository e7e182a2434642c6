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
    logCreator: () => ({ namespace, log: { message, error } }) => log.debug({ namespace, error: error as unknown }, message),
  });
}
