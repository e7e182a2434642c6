import { Field, Select, TextArea } from '../../../components/Field.tsx';
import type { Visibility } from './rememberedUploads.ts';
import styles from './UploadPage.module.css';
import { changeUpload, type UploadItem } from './uploads.ts';

/** What its uploader says of a video before it is sent. */
export function DraftFields({ upload: { id, title, description, visibility } }: { readonly upload: UploadItem }) {
  return (
    <div className={styles.fields}>
      <Field
        label="Title"
        value={title}
        maxLength={200}
        required
        error={title.trim() === '' ? 'A video needs a title.' : undefined}
        onChange={({ target }) => changeUpload(id, { title: target.value })}
      />
      <TextArea
        label="Description"
        rows={3}
        // A description travels in a header. A longer one is for the page of the video.
        maxLength={2_000}
        value={description}
        onChange={({ target }) => changeUpload(id, { description: target.value })}
      />
      <Select
        label="Who can see it"
        value={visibility}
        onChange={({ target }) => changeUpload(id, { visibility: target.value as Visibility })}
      >
        <option value="public">Everybody</option>
        <option value="unlisted">Everybody who has the link</option>
        <option value="private">Only you</option>
      </Select>
    </div>
  );
}
