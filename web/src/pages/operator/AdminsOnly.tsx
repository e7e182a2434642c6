import { ShieldCheck } from 'lucide-react';
import { Page } from '../../components/Page.tsx';
import { Empty } from '../../components/States.tsx';
import styles from './Operator.module.css';

/** For users who are no admins: says how to become one. */
export function AdminsOnly({ email }: { readonly email: string }) {
  return (
    <Page title="Operator">
      <Empty title="These pages are for administrators" icon={ShieldCheck}>
        The account that was registered first on a new server is one. On the machine that runs the server, this makes
        yours one; then sign in again:
      </Empty>
      <pre className={styles.command} tabIndex={0} aria-label="The command">
        npm run -s reelstream -- admins grant {email}
      </pre>
    </Page>
  );
}
