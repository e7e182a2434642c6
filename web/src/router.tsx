import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  notFound,
  redirect,
} from '@tanstack/react-router';
import { ApiError } from './api/apiError.ts';
import { AppShell } from './components/AppShell.tsx';
import { NotFound } from './components/NotFound.tsx';
import { PageError } from './components/PageError.tsx';
import { PageLoading } from './components/PageLoading.tsx';
import { operatorSearch } from './pages/operator/search.ts';
import { analyticsSearch } from './pages/studio/analytics/search.ts';
import { studioSearch } from './pages/studio/search.ts';
import { currentSession } from './session/session.ts';

/**
 * The component of a page, whose code is loaded when the page is opened.
 * @throws ApiError `unreachable` when the code cannot be loaded.
 */
function pageOf<Module extends Record<string, unknown>, Name extends keyof Module>(
  load: () => Promise<Module>,
  name: Name,
) {
  const loaded = (): Promise<Module> =>
    load().catch((cause: unknown) => {
      throw ApiError.unreachable(cause);
    });
  return lazyRouteComponent(loaded, name);
}

// The server sends the page for these addresses: src/http/server/webPage.ts has the same list.

const root = createRootRoute({ component: AppShell, notFoundComponent: NotFound });

const feed = createRoute({
  getParentRoute: () => root,
  path: '/',
  component: pageOf(() => import('./pages/feed/FeedPage.tsx'), 'FeedPage'),
});

const video = createRoute({
  getParentRoute: () => root,
  path: '/v/$videoId',
  component: pageOf(() => import('./pages/video/VideoPage.tsx'), 'VideoPage'),
});

const author = createRoute({
  getParentRoute: () => root,
  path: '/u/$username',
  component: pageOf(() => import('./pages/author/AuthorPage.tsx'), 'AuthorPage'),
});

/** Where to go after signing in: an address of this page. */
interface Next {
  readonly next?: string;
}

const nextOf = ({ next }: Record<string, unknown>): Next =>
  typeof next === 'string' && /^\/(?!\/)/.test(next) ? { next } : {};

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: nextOf,
  component: pageOf(() => import('./pages/account/SignInPage.tsx'), 'SignInPage'),
});

const signUp = createRoute({
  getParentRoute: () => root,
  path: '/sign-up',
  validateSearch: nextOf,
  component: pageOf(() => import('./pages/account/SignUpPage.tsx'), 'SignUpPage'),
});

/** Pages for people with an account. Others sign in first and come back. */
const members = createRoute({
  getParentRoute: () => root,
  id: 'members',
  beforeLoad: ({ location }) => {
    const { status } = currentSession();
    if (status === 'anonymous' || status === 'ended')
      throw redirect({ to: '/sign-in', search: { next: location.href } });
  },
});

const account = createRoute({
  getParentRoute: () => members,
  path: '/account',
  component: pageOf(() => import('./pages/account/AccountPage.tsx'), 'AccountPage'),
});

const studio = createRoute({
  getParentRoute: () => members,
  path: '/studio',
  validateSearch: studioSearch,
  component: pageOf(() => import('./pages/studio/StudioPage.tsx'), 'StudioPage'),
});

const upload = createRoute({
  getParentRoute: () => members,
  path: '/studio/upload',
  component: pageOf(() => import('./pages/studio/upload/UploadPage.tsx'), 'UploadPage'),
});

const ownVideo = createRoute({
  getParentRoute: () => members,
  path: '/studio/videos/$videoId',
  component: pageOf(() => import('./pages/studio/OwnVideoPage.tsx'), 'OwnVideoPage'),
});

const analytics = createRoute({
  getParentRoute: () => members,
  path: '/studio/analytics',
  validateSearch: analyticsSearch,
  component: pageOf(() => import('./pages/studio/analytics/AnalyticsPage.tsx'), 'AnalyticsPage'),
});

const OPERATOR_PAGES = ['log', 'projections', 'reports', 'jobs', 'system', 'rules'];

const operator = createRoute({
  getParentRoute: () => members,
  path: '/operator',
  beforeLoad: ({ location }) => {
    if (location.pathname === '/operator') throw redirect({ to: '/operator/$page', params: { page: 'projections' } });
  },
});

const operatorPage = createRoute({
  getParentRoute: () => operator,
  path: '$page',
  validateSearch: operatorSearch,
  beforeLoad: ({ params }) => {
    if (!OPERATOR_PAGES.includes(params.page)) throw notFound();
  },
  component: pageOf(() => import('./pages/operator/OperatorPage.tsx'), 'OperatorPage'),
});

export const router = createRouter({
  routeTree: root.addChildren([
    feed,
    video,
    author,
    signIn,
    signUp,
    members.addChildren([account, studio, upload, ownVideo, analytics, operator.addChildren([operatorPage])]),
  ]),
  defaultPreload: 'intent',
  scrollRestoration: true,
  defaultErrorComponent: PageError,
  defaultPendingComponent: PageLoading,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
