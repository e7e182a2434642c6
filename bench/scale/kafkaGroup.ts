import { fork, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createKafkaClient } from '../../src/delivery/kafka/client.ts';
import type { TestDatabase } from '../../tests/support/database.ts';
import { eventually } from '../../tests/support/eventually.ts';
import { quiet } from '../../tests/support/projecting.ts';

/** How a topic and the projectors behind it are laid out. */
export interface KafkaLayout {
  readonly partitions: number;
  /** Operating system processes. */
  readonly processes: number;
  /** Members of the consumer group in each process. In the product a process is one member. */
  readonly membersEach: number;
}

/** What a process answers when it is asked. */
export interface MemberReport {
  readonly running: number;
  readonly cpuMs: number;
}

/** CPU time of the relay, and of the projectors together. */
export interface CpuOfGroup {
  readonly relay: number;
  readonly projectors: number;
}

/** A relay and projectors in processes of their own, on a topic that no other run uses. */
export interface KafkaGroup extends AsyncDisposable {
  /** Kills one process of projectors and waits until it has ended. */
  killOne(): Promise<void>;
  /** CPU time of the relay and of the projectors that live, in milliseconds since their start. */
  cpuMs(): Promise<CpuOfGroup>;
}

const JOIN_WITHIN_MS = 90_000;

export async function startKafkaGroup(
  brokers: string,
  { url }: TestDatabase,
  { partitions, processes, membersEach }: KafkaLayout,
): Promise<KafkaGroup> {
  const topic = `scale.${randomUUID()}`;
  const environment = {
    ...process.env,
    DATABASE_URL: url,
    KAFKA_BROKERS: brokers,
    KAFKA_TOPIC: topic,
    KAFKA_PARTITIONS: String(partitions),
    MEMBERS: String(membersEach),
  };
  const start = (file: string): ChildProcess =>
    fork(new URL(file, import.meta.url).pathname, { env: environment, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const relay = start('kafkaRelayProcess.ts');
  const projectors = new Set<ChildProcess>();
  const group: KafkaGroup = {
    async killOne() {
      const [victim] = projectors;
      projectors.delete(victim!);
      const ended = once(victim!, 'exit');
      victim!.kill('SIGKILL');
      await ended;
    },
    async cpuMs() {
      const reports = await Promise.all([...projectors].map(ask));
      return { relay: (await ask(relay)).cpuMs, projectors: reports.reduce((sum, { cpuMs }) => sum + cpuMs, 0) };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([relay, ...projectors].map(end));
      await dropTopic(brokers, topic);
    },
  };
  try {
    await eventually(async () => (await ask(relay)).running === 1, {
      within: JOIN_WITHIN_MS,
      what: 'the relay copies',
    });
    for (let index = 0; index < processes; index++) projectors.add(start('kafkaProjectors.ts'));
    await eventually(
      async () => (await Promise.all([...projectors].map(ask))).every(({ running }) => running === membersEach),
      { within: JOIN_WITHIN_MS, every: 200, what: 'every member has its partitions' },
    );
    return group;
  } catch (error) {
    await group[Symbol.asyncDispose]();
    throw error;
  }
}

/** A process that is still starting answers once it listens. */
async function ask(child: ChildProcess): Promise<MemberReport> {
  if (child.exitCode !== null || child.signalCode !== null) throw new Error('a process of the group has ended');
  const answer = once(child, 'message', { signal: AbortSignal.timeout(10_000) });
  child.send('report');
  const [report] = (await answer) as [MemberReport];
  return report;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit', { signal: AbortSignal.timeout(20_000) });
  child.disconnect();
  await ended.catch(() => child.kill('SIGKILL'));
}

async function dropTopic(brokers: string, topic: string): Promise<void> {
  const admin = createKafkaClient({ brokers: brokers.split(','), clientId: 'scale', logger: quiet }).admin();
  await admin.connect();
  try {
    await admin.deleteTopics({ topics: [topic] });
    await admin.deleteGroups([`${topic}.projections`]).catch(() => undefined);
  } finally {
    await admin.disconnect();
  }
}
