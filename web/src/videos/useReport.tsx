import { useLocation, useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useState, type ReactNode } from 'react';
import type { Video } from '../api/types.ts';
import { showToast } from '../components/toastStore.ts';
import { useSession } from '../session/useSession.ts';

/** Few readers need it. */
const ReportDialog = lazy(() => import('./ReportDialog.tsx'));

interface Reporting {
  /** Undefined for one's own video. */
  readonly open: (() => void) | undefined;
  readonly dialog: ReactNode;
}

/** The way to report a video. Who is not signed in is asked to. */
export function useReport(video: Pick<Video, 'id' | 'title' | 'uploadedBy'>): Reporting {
  const session = useSession();
  const { href } = useLocation();
  const navigate = useNavigate();
  const [isOpen, setOpen] = useState(false);
  if (session.status === 'signedIn' && session.user.id === video.uploadedBy) return { open: undefined, dialog: null };

  const open = (): void => {
    if (session.status === 'signedIn') return setOpen(true);
    const run = () => void navigate({ to: '/sign-in', search: { next: href } });
    showToast('Sign in to report videos.', { action: { label: 'Sign in', run } });
  };
  const dialog = isOpen && (
    <Suspense fallback={null}>
      <ReportDialog video={video} onClose={() => setOpen(false)} />
    </Suspense>
  );
  return { open, dialog };
}
