import { useEffect, useSyncExternalStore } from 'react';
import { Button } from '../../../components/Button.tsx';
import { Page } from '../../../components/Page.tsx';
import { Skeleton } from '../../../components/States.tsx';
import { useUser } from '../../../session/useSession.ts';
import { DropZone } from './DropZone.tsx';
import { UploadCard } from './UploadCard.tsx';
import styles from './UploadPage.module.css';
import { addFiles, currentUploads, onUploads, restoreUploads, startUpload } from './uploads.ts';
import { useProcessingLive } from './useProcessingLive.ts';

export function UploadPage() {
  const user = useUser();
  const userId = user?.id;
  const uploads = useSyncExternalStore(onUploads, currentUploads).filter((upload) => upload.userId === userId);
  const drafts = uploads.filter(({ state, title }) => state === 'draft' && title.trim() !== '');
  useProcessingLive(userId);
  useEffect(() => {
    if (userId !== undefined) void restoreUploads(userId);
  }, [userId]);

  return (
    <Page
      title="Upload"
      lead="MP4 files of at most 60 seconds and 50 MB. An upload goes on by itself after an interruption, also when you close this page and come back."
      width="narrow"
      actions={
        drafts.length > 1 && (
          <Button look="primary" onClick={() => drafts.forEach(({ id }) => void startUpload(id))}>
            Upload all {drafts.length}
          </Button>
        )
      }
    >
      {userId === undefined ? (
        <Skeleton lines={4} label="Loading your uploads" />
      ) : (
        <DropZone onFiles={(files) => addFiles(files, userId)} />
      )}
      <ul className={styles.uploads} aria-label="Uploads">
        {uploads.map((upload) => (
          <UploadCard key={upload.id} upload={upload} />
        ))}
      </ul>
    </Page>
  );
}
