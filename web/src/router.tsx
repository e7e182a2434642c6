import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  notFound,
  redirect,
} from '@tanstack/react-router';
import { AppShell } from './components/AppShell.tsx';
import { NotFound } from './components/NotFound.tsx';
import { PageError } from './components/PageError.tsx';
import { PageLoading } from './components/PageLoading.tsx';
import { operatorSearch } from './pages/operator/search.ts';
import { analyticsSearch } from './pages/studio/analytics/search.ts';
import { studioSearch } from './pages/studio/search.ts';
import { currentSession } from './session/session.ts';

// The server sends the page for these addresses: src/http/server/webPage.ts has the same list.

const root = createRootRoute({ component: AppShell, notFoundComponent: NotFound });

const feed = createRoute({
  getParentRoute: () => root,
  path: '/',
  component: lazyRouteComponent(() => import('./pages/feed/FeedPage.tsx'), 'FeedPage'),
});

const video = createRoute({
  getParentRoute: () => root,
  path: '/v/$videoId',
  component: lazyRouteComponent(() => import('./pages/video/VideoPage.tsx'), 'VideoPage'),
});

const author = createRoute({
  getParentRoute: () => root,
  path: '/u/$username',
  component: lazyRouteComponent(() => import('./pages/author/AuthorPage.tsx'), 'AuthorPage'),
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
  component: lazyRouteComponent(() => import('./pages/account/SignInPage.tsx'), 'SignInPage'),
});

const signUp = createRoute({
  getParentRoute: () => root,
  path: '/sign-up',
  validateSearch: nextOf,
  component: lazyRouteComponent(() => import('./pages/account/SignUpPage.tsx'), 'SignUpPage'),
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
  component: lazyRouteComponent(() => import('./pages/account/AccountPage.tsx'), 'AccountPage'),
});

const studio = createRoute({
  getParentRoute: () => members,
  path: '/studio',
  validateSearch: studioSearch,
  component: lazyRouteComponent(() => import('./pages/studio/StudioPage.tsx'), 'StudioPage'),
});

const upload = createRoute({
  getParentRoute: () => members,
  path: '/studio/upload',
  component: lazyRouteComponent(() => import('./pages/studio/upload/UploadPage.tsx'), 'UploadPage'),
});

const ownVideo = createRoute({
  getParentRoute: () => members,
  path: '/studio/videos/$videoId',
  component: lazyRouteComponent(() => import('./pages/studio/OwnVideoPage.tsx'), 'OwnVideoPage'),
});

const analytics = createRoute({
  getParentRoute: () => members,
  path: '/studio/analytics',
  validateSearch: analyticsSearch,
  component: lazyRouteComponent(() => import('./pages/studio/analytics/AnalyticsPage.tsx'), 'AnalyticsPage'),
});

const OPERATOR_PAGES = ['log', 'projections', 'jobs', 'system', 'rules'];

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
  component: lazyRouteComponent(() => import('./pages/operator/OperatorPage.tsx'), 'OperatorPage'),
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
