import { Page } from '../../../components/Page.tsx';
import { Empty } from '../../../components/States.tsx';

export function UploadPage() {
  return (
    <Page title="Upload">
      <Empty title="This page is being built" />
    </Page>
  );
}
