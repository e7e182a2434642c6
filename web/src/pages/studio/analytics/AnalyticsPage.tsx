import { Page } from '../../../components/Page.tsx';
import { Empty } from '../../../components/States.tsx';

export function AnalyticsPage() {
  return (
    <Page title="Analytics">
      <Empty title="This page is being built" />
    </Page>
  );
}
