import { Page } from '../../components/Page.tsx';
import { Empty } from '../../components/States.tsx';

export function FeedPage() {
  return (
    <Page title="Watch">
      <Empty title="This page is being built" />
    </Page>
  );
}
