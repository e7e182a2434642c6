import { CloudOff } from 'lucide-react';
import { useSyncExternalStore } from 'react';
import { TopNotice } from './TopNotice.tsx';

/** Shown while the browser has no network. */
export function OfflineNotice() {
  const online = useSyncExternalStore(subscribe, () => navigator.onLine);
  return (
    <TopNotice role="status">
      {online ? undefined : (
        <>
          <CloudOff aria-hidden size={20} />
          <p>You are offline. What you see may be old; it goes on when the network is back.</p>
        </>
      )}
    </TopNotice>
  );
}

function subscribe(onChange: () => void): () => void {
  addEventListener('online', onChange);
  addEventListener('offline', onChange);
  return () => {
    removeEventListener('online', onChange);
    removeEventListener('offline', onChange);
  };
}
