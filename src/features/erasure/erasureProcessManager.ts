import type { Jobs } from '../../jobs/jobs.ts';
import type { Consumer } from '../../projecting/consumer.ts';
import { createSubscriber } from '../../projecting/subscriber.ts';
import type { UserForgotten } from '../accounts/index.ts';
import { eraseQueue } from './queues.ts';

/** Turns each user who is forgotten into a job, in the transaction of its checkpoint. */
export function createErasureProcessManager({ jobs }: { readonly jobs: Pick<Jobs, 'add'> }): Consumer {
  return createSubscriber<UserForgotten>({
    name: 'erasure_process_manager',
    handles: ['UserForgotten'],
    handle: (events, transaction) =>
      jobs.add(
        eraseQueue,
        events.map(({ id, data: { userId }, metadata: { correlationId, traceparent } }) => ({
          id,
          ownerId: userId,
          data: { userId, correlationId, causationId: id, ...(traceparent !== undefined && { traceparent }) },
        })),
        transaction,
      ),
  });
}
