import { Page } from '../../components/Page.tsx';
import { Empty } from '../../components/States.tsx';

export function OwnVideoPage() {
  return (
    <Page title="Video">
      <Empty title="This page is being built" />
    </Page>
  );
}
