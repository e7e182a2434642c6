import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Download } from 'lucide-react';
import { useState } from 'react';
import { ApiError } from '../../api/apiError.ts';
import { Button } from '../../components/Button.tsx';
import { ConfirmDialog } from '../../components/ConfirmDialog.tsx';
import { Notice } from '../../components/Notice.tsx';
import { showToast } from '../../components/toastStore.ts';
import { deleteAccount, downloadOwnData } from '../../session/commands.ts';
import { messageOf } from './messageOf.ts';
import styles from './OwnData.module.css';
import { PasswordField } from './PasswordField.tsx';

/** What the server holds about the user, to take away or to erase. */
export function OwnData() {
  const [isAsking, setAsking] = useState(false);
  const download = useMutation({
    mutationFn: downloadOwnData,
    onError: (error) => showToast(`There is no file. ${messageOf(error)}`, { tone: 'bad' }),
  });
  return (
    <section className={styles.data} aria-labelledby="own-data">
      <h2 id="own-data">Your data</h2>
      <p>
        The file has everything that this server holds about you: profile, sessions, videos with their links, likes,
        views, reports and events.
      </p>
      <div>
        <Button busy={download.isPending} onClick={() => download.mutate()}>
          <Download aria-hidden size={18} />
          Download my data
        </Button>
      </div>
      <p>When you delete your account, your videos are deleted too. Nobody can bring them back.</p>
      <div>
        <Button look="danger" onClick={() => setAsking(true)}>
          Delete my account
        </Button>
      </div>
      {isAsking && <DeleteDialog onClose={() => setAsking(false)} />}
    </section>
  );
}

function DeleteDialog({ onClose }: { readonly onClose: () => void }) {
  const [password, setPassword] = useState('');
  const navigate = useNavigate();
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => deleteAccount(password),
    onSuccess: async () => {
      await navigate({ to: '/' });
      showToast('Your account is deleted.', { shownFor: 15_000 });
    },
  });
  const wrong = error instanceof ApiError ? error.fields['password'] : undefined;
  return (
    <ConfirmDialog
      open
      title="Delete your account?"
      confirm="Delete my account"
      busy={isPending}
      onConfirm={() => mutate()}
      onClose={onClose}
    >
      <div className={styles.dialog}>
        <p>This cannot be undone.</p>
        <ul>
          <li>Your name, e-mail address and all else that tells who you are is erased.</li>
          <li>Your videos and their files are deleted.</li>
          <li>Likes and views that you gave stay counted, without you.</li>
          <li>You are signed out everywhere. Your name and address are free for a new account.</li>
        </ul>
        <PasswordField
          autoComplete="current-password"
          value={password}
          onChange={({ target }) => setPassword(target.value)}
          error={wrong}
        />
        {error !== null && wrong === undefined && <Notice tone="bad">{messageOf(error)}</Notice>}
      </div>
    </ConfirmDialog>
  );
}
