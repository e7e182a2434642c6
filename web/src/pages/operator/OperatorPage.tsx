import { Page } from '../../components/Page.tsx';
import { Empty } from '../../components/States.tsx';

export function OperatorPage() {
  return (
    <Page title="Operator">
      <Empty title="This page is being built" />
    </Page>
  );
}
