import { Page } from '../../components/Page.tsx';
import { Empty } from '../../components/States.tsx';

export function AccountPage() {
  return (
    <Page title="Account">
      <Empty title="This page is being built" />
    </Page>
  );
}
