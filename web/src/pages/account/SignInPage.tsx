import { Page } from '../../components/Page.tsx';
import { Empty } from '../../components/States.tsx';

export function SignInPage() {
  return (
    <Page title="Sign in">
      <Empty title="This page is being built" />
    </Page>
  );
}
