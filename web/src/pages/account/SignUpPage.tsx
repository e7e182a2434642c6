import { Page } from '../../components/Page.tsx';
import { Empty } from '../../components/States.tsx';

export function SignUpPage() {
  return (
    <Page title="Create an account">
      <Empty title="This page is being built" />
    </Page>
  );
}
