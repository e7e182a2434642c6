import type { Route } from '../../http/route.ts';
import type { ApiContext } from '../feature.ts';
import { videoCommandRoutes } from './commandRoutes.ts';
import { historyRoute } from './historyRoute.ts';
import { mineRoute } from './mineRoute.ts';
import { pendingUploadsOf } from './processing/pendingUploads.ts';
import { createUploadQuota } from './processing/uploadQuota.ts';
import { videoQueryRoutes } from './queryRoutes.ts';
import { resumableUploadRoutes } from './resumable/routes.ts';
import { retryRoute } from './retryRoute.ts';
import { uploadRoute } from './uploadRoute.ts';

export function videoRoutes(context: ApiContext): Route[] {
  const quota = createUploadQuota({ db: pendingUploadsOf(context.db), ...context.settings.uploadQuota });
  return [
    uploadRoute(context, quota),
    ...resumableUploadRoutes(context, quota),
    ...videoQueryRoutes(context),
    mineRoute(context),
    historyRoute(context),
    ...videoCommandRoutes(context),
    retryRoute(context, quota),
  ];
}
