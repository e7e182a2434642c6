import '@fontsource-variable/inter/wght.css';
import './styles/tokens.css';
import './styles/base.css';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { queryClient } from './api/queryClient.ts';
import { router } from './router.tsx';
import { reloadWhenReplaced } from './reloadWhenReplaced.ts';
import { forgetOthersData } from './session/forgetOthersData.ts';
import { feedQuery } from './videos/videoQueries.ts';

reloadWhenReplaced();
forgetOthersData(queryClient);
// The feed need not wait for the code that shows it.
if (location.pathname === '/') void queryClient.prefetchInfiniteQuery(feedQuery);

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
