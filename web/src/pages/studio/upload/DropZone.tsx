import { Upload } from 'lucide-react';
import { useEffect, useEffectEvent, useState } from 'react';
import styles from './UploadPage.module.css';

/** Takes files that are chosen here, or dropped anywhere on the page: a browser would open those that miss the zone. */
export function DropZone({ onFiles }: { readonly onFiles: (files: readonly File[]) => void }) {
  const [isOver, setOver] = useState(false);
  const onDragOver = useEffectEvent((event: DragEvent): void => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    setOver(true);
  });
  const onDragLeave = useEffectEvent((event: DragEvent): void => {
    // It has left the window.
    if (event.relatedTarget === null) setOver(false);
  });
  const onDrop = useEffectEvent((event: DragEvent): void => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    setOver(false);
    onFiles([...event.dataTransfer!.files]);
  });
  useEffect(() => {
    addEventListener('dragover', onDragOver);
    addEventListener('dragleave', onDragLeave);
    addEventListener('drop', onDrop);
    return () => {
      removeEventListener('dragover', onDragOver);
      removeEventListener('dragleave', onDragLeave);
      removeEventListener('drop', onDrop);
    };
  }, []);
  return (
    <label className={styles.drop} data-over={isOver || undefined}>
      <Upload aria-hidden size={32} strokeWidth={1.5} />
      <span className={styles.dropTitle}>Choose videos</span>
      <span>or drop them here</span>
      <input
        type="file"
        accept="video/mp4"
        multiple
        className="visually-hidden"
        onChange={({ currentTarget }) => {
          onFiles([...(currentTarget.files ?? [])]);
          // So that the same file can be chosen again.
          currentTarget.value = '';
        }}
      />
    </label>
  );
}

/** Not text, and not a part of the page. */
function hasFiles({ dataTransfer }: DragEvent): boolean {
  return dataTransfer?.types.includes('Files') ?? false;
}
