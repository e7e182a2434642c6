import { z } from 'zod';
import { route, type ResponseDescription, type Reply, type Route } from '../../http/route.ts';
import { DomainError } from '../../core/errors.ts';
import { isOpen, type Operation } from '../../projecting/operations/operation.ts';
import type { ApiContext } from '../feature.ts';
import { operationSchema, projectionSchema } from './projectionSchemas.ts';
import { operationView, projectionView } from './projectionView.ts';

/** A request waits so long for what a process with the role `projector` does. */
const WAIT_MS = 10_000;

const params = z.object({
  name: z.string().meta({ description: 'The name of the projection.', examples: ['videos'] }),
});
const unknown: ResponseDescription = {
  description: 'There is no such projection. The message names those that there are.',
  code: 'projection_unknown',
};

const common = { tag: 'Operators', auth: 'required', role: 'admin' } as const;

export function projectionRoutes({ operations }: ApiContext): Route[] {
  return [
    route({
      ...common,
      method: 'get',
      path: '/api/v1/admin/projections',
      operationId: 'listProjections',
      summary: 'List the projections',
      description: 'Where each projection stands, and what is being done to it.',
      responses: {
        200: {
          description: 'All projections.',
          message: 'Projections retrieved successfully',
          data: z.array(projectionSchema),
        },
      },
      async handle(): Promise<Reply> {
        const data = (await operations.list()).map(projectionView);
        return { status: 200, message: 'Projections retrieved successfully', data };
      },
    }),
    route({
      ...common,
      method: 'get',
      path: '/api/v1/admin/projections/:name',
      operationId: 'getProjection',
      summary: 'Get a projection',
      description: 'Where the projection stands, what is being done to it, and what the last verification found.',
      params,
      responses: {
        200: { description: 'The projection.', message: 'Projection retrieved successfully', data: projectionSchema },
        404: unknown,
      },
      async handle({ params: { name } }): Promise<Reply> {
        const data = projectionView(await operations.show(name));
        return { status: 200, message: 'Projection retrieved successfully', data };
      },
    }),
    route({
      ...common,
      method: 'post',
      path: '/api/v1/admin/projections/:name/rebuild',
      operationId: 'rebuildProjection',
      summary: 'Rebuild a projection',
      description:
        'Asks a process with the role `projector` to make the tables anew from the log. Queries read the old tables until the new ones replace them. The rebuild goes on after a crash. `GET /api/v1/admin/projections/{name}` shows its progress.',
      params,
      responses: {
        202: { description: 'The rebuild was asked for.', message: 'The rebuild will begin', data: operationSchema },
        404: unknown,
        409: {
          description:
            'A rebuild or a rollback of this projection is under way, or its tables were made under other settings than those of this process (`other_settings`).',
          code: 'rebuild_under_way',
        },
      },
      async handle({ params: { name }, user }): Promise<Reply> {
        const data = operationView(await operations.ask('rebuild', name, user.id));
        return { status: 202, message: 'The rebuild will begin', data };
      },
    }),
    route({
      ...common,
      method: 'delete',
      path: '/api/v1/admin/projections/:name/rebuild',
      operationId: 'cancelRebuild',
      summary: 'Cancel a rebuild',
      description: 'Ends the rebuild that is under way, and drops what it has built. The tables in place stay.',
      params,
      responses: {
        200: { description: 'It is cancelled.', message: 'The rebuild is cancelled', data: operationSchema },
        202: {
          description: 'The process that runs it has not answered yet; it will cancel it.',
          message: 'The rebuild will be cancelled',
          data: operationSchema,
        },
        404: unknown,
        409: { description: 'No rebuild was asked for, or it has just ended.', code: 'no_rebuild' },
      },
      async handle({ params: { name }, signal }): Promise<Reply> {
        const asked = await operations.cancelRebuild(name);
        const found = await operations.untilClosed(asked, { timeoutMs: WAIT_MS, signal });
        const data = operationView(found);
        if (isOpen(found)) return { status: 202, message: 'The rebuild will be cancelled', data };
        if (found.state !== 'cancelled') throw rebuildHasEnded(found);
        return { status: 200, message: 'The rebuild is cancelled', data };
      },
    }),
    route({
      ...common,
      method: 'post',
      path: '/api/v1/admin/projections/:name/rollback',
      operationId: 'rollBackProjection',
      summary: 'Go back to the tables before the last rebuild',
      description:
        'Makes the tables that the last rebuild replaced live again, with all that has happened since. They are kept for `REBUILD_KEEP_HOURS`. Another rollback undoes this one.',
      params,
      responses: {
        200: { description: 'The older tables are live.', message: 'The older tables are live', data: operationSchema },
        202: {
          description: 'It takes longer than the request waits.',
          message: 'The rollback is under way',
          data: operationSchema,
        },
        404: unknown,
        409: {
          description:
            'No older tables are kept (`nothing_to_roll_back`), this program cannot keep them up to date (`rollback_not_possible`), or a rebuild or rollback is under way.',
          code: 'nothing_to_roll_back',
        },
      },
      async handle({ params: { name }, user, signal }): Promise<Reply> {
        const asked = await operations.ask('rollback', name, user.id);
        const found = await operations.untilClosed(asked, { timeoutMs: WAIT_MS, signal });
        const data = operationView(found);
        if (found.state === 'failed') throw rollbackFailed(found);
        if (found.state === 'done') return { status: 200, message: 'The older tables are live', data };
        return { status: 202, message: 'The rollback is under way', data };
      },
    }),
    route({
      ...common,
      method: 'post',
      path: '/api/v1/admin/projections/:name/verify',
      operationId: 'verifyProjection',
      summary: 'Compare a projection with the log',
      description:
        'Asks a process with the role `projector` to replay the log and to compare the rows with those in place. While one is under way, it is answered instead of a second one. The result is in `GET /api/v1/admin/projections/{name}`.',
      params,
      responses: {
        202: {
          description: 'The verification was asked for.',
          message: 'The verification will begin',
          data: operationSchema,
        },
        404: unknown,
      },
      async handle({ params: { name }, user }): Promise<Reply> {
        const data = operationView(await operations.ask('verify', name, user.id));
        return { status: 202, message: 'The verification will begin', data };
      },
    }),
  ];
}

function rebuildHasEnded({ projection, state }: Operation): DomainError {
  return new DomainError(
    'conflict',
    'no_rebuild',
    `The rebuild of ${projection} ended before it was cancelled: ${state}.`,
  );
}

function rollbackFailed({ error }: Operation): DomainError {
  return new DomainError('conflict', 'rollback_not_possible', error ?? 'The rollback failed.');
}
