import type { Route } from '../../http/route.ts';
import { videoCommandRoutes, type VideoCommandRoutesDependencies } from './commandRoutes.ts';
import { videoQueryRoutes, type VideoQueryRoutesDependencies } from './queryRoutes.ts';
import { retryRoute } from './retryRoute.ts';
import { uploadRoute, type UploadRouteDependencies } from './uploadRoute.ts';

export type VideoRoutesDependencies = VideoQueryRoutesDependencies &
  Omit<VideoCommandRoutesDependencies, 'urls'> &
  UploadRouteDependencies;

export function videoRoutes(dependencies: VideoRoutesDependencies): Route[] {
  return [
    uploadRoute(dependencies),
    ...videoQueryRoutes(dependencies),
    ...videoCommandRoutes({ ...dependencies, urls: dependencies.objects }),
    retryRoute({ ...dependencies, urls: dependencies.objects }),
  ];
}
