import { Page } from '../../components/Page.tsx';
import { Empty } from '../../components/States.tsx';

export function AuthorPage() {
  return (
    <Page title="Author">
      <Empty title="This page is being built" />
    </Page>
  );
}
