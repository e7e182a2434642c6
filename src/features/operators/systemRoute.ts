import { route, type Reply, type Route } from '../../http/route.ts';
import type { ApiContext } from '../feature.ts';
import { systemSchema } from './systemSchema.ts';

export function systemRoute(context: ApiContext): Route {
  return route({
    method: 'get',
    path: '/api/v1/admin/system',
    operationId: 'getSystem',
    summary: 'Get the processes and engines',
    description:
      'The processes that are alive, the engines in use with their versions, and how large the log is. `GET /health` says whether the parts of one process work.',
    tag: 'Operators',
    auth: 'required',
    role: 'admin',
    responses: { 200: { description: 'The system.', message: 'System retrieved successfully', data: systemSchema } },
    async handle(): Promise<Reply> {
      return { status: 200, message: 'System retrieved successfully', data: await context.system() };
    },
  });
}
