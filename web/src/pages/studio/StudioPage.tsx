import { Page } from '../../components/Page.tsx';
import { Empty } from '../../components/States.tsx';

export function StudioPage() {
  return (
    <Page title="Studio">
      <Empty title="This page is being built" />
    </Page>
  );
}
