import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useBlocker } from '@tanstack/react-router';
import { useState, type SubmitEvent } from 'react';
import { ApiError } from '../../../api/apiError.ts';
import { Button } from '../../../components/Button.tsx';
import { ConfirmDialog } from '../../../components/ConfirmDialog.tsx';
import { Field, TextArea } from '../../../components/Field.tsx';
import { Notice } from '../../../components/Notice.tsx';
import { showToast } from '../../../components/toastStore.ts';
import styles from './DetailsForm.module.css';
import { changeVideo, changedElsewhere, type Details, type Versioned } from './changeVideo.ts';
import { messageOf, ownVideoQuery } from './ownVideos.ts';
import { VisibilityChoice } from './VisibilityChoice.tsx';

/** Title, description and visibility. What somebody else changed meanwhile is never overwritten without asking. */
export function DetailsForm({ current }: { readonly current: Versioned }) {
  const client = useQueryClient();
  const query = ownVideoQuery(current.video.id);
  const [edits, setEdits] = useState<Partial<Details>>({});
  /** What the user saw when the edit began. */
  const [base, setBase] = useState<Versioned>();
  const shown: Details = { ...current.video, ...edits };
  const seen = base ?? current;
  const isChanged = (Object.keys(edits) as (keyof Details)[]).some((key) => edits[key] !== seen.video[key]);

  const edit = (change: Partial<Details>): void => {
    setBase((base) => base ?? current);
    setEdits((edits) => ({ ...edits, ...change }));
  };
  const forget = (): void => {
    setEdits({});
    setBase(undefined);
    save.reset();
  };
  const save = useMutation({
    mutationFn: (to: Versioned) => changeVideo(to, edits, () => client.fetchQuery({ ...query, staleTime: 0 })),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: query.queryKey });
      forget();
      void client.invalidateQueries({ queryKey: ['ownVideos', 'list'] });
      showToast('Saved.', { tone: 'good' });
    },
  });
  const blocker = useBlocker({
    shouldBlockFn: () => isChanged && !save.isPending,
    enableBeforeUnload: isChanged,
    withResolver: true,
  });
  const isConflict = save.error !== null && changedElsewhere(save.error);
  const fields = save.error instanceof ApiError ? save.error.fields : {};

  function submit(event: SubmitEvent): void {
    event.preventDefault();
    if (isChanged && !save.isPending) save.mutate(seen);
  }

  return (
    <>
      <form className={styles.form} onSubmit={submit} aria-label="Details">
        <h2>Details</h2>
        <Field
          label="Title"
          name="title"
          required
          maxLength={200}
          value={shown.title}
          error={fields['title']}
          onChange={(event) => edit({ title: event.target.value })}
        />
        <TextArea
          label="Description"
          name="description"
          maxLength={5_000}
          rows={5}
          value={shown.description}
          error={fields['description']}
          onChange={(event) => edit({ description: event.target.value })}
        />
        <VisibilityChoice value={shown.visibility} onChange={(visibility) => edit({ visibility })} />
        {isConflict && (
          <Notice
            tone="warn"
            actions={
              <>
                <Button onClick={forget}>Show the new version</Button>
                <Button onClick={() => save.mutate(current)} busy={save.isPending}>
                  Save mine over it
                </Button>
              </>
            }
          >
            <strong>This video was changed elsewhere while you were editing it.</strong>
            It is now called “{current.video.title}” and is {current.video.visibility}. Nothing of yours was saved yet,
            and your text is still here.
          </Notice>
        )}
        {save.error !== null && !isConflict && Object.keys(fields).length === 0 && (
          <Notice tone="bad">
            <strong>It was not saved.</strong> {messageOf(save.error)}
          </Notice>
        )}
        <div className={styles.actions}>
          <Button type="submit" look="primary" busy={save.isPending} disabled={!isChanged}>
            Save
          </Button>
          {isChanged && (
            <Button look="quiet" onClick={forget}>
              Undo my changes
            </Button>
          )}
        </div>
      </form>
      <ConfirmDialog
        open={blocker.status === 'blocked'}
        title="Leave without saving?"
        confirm="Leave"
        onConfirm={() => blocker.proceed?.()}
        onClose={() => blocker.reset?.()}
      >
        Your changes of this video are not saved.
      </ConfirmDialog>
    </>
  );
}
