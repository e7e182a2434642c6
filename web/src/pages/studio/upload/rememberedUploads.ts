/** What is needed to go on with an upload after the page was closed: its file as well, so nobody has to choose it again. */
export interface RememberedUpload {
  readonly id: string;
  readonly userId: string;
  readonly file: File;
  readonly title: string;
  readonly description: string;
  readonly visibility: Visibility;
  /** Undefined until the server has given the upload an address. */
  readonly url: string | undefined;
}

export type Visibility = 'public' | 'unlisted' | 'private';

const STORE = 'uploads';

/** Without room for the file, or without IndexedDB, an upload works as well, but only while the page is open. */
export async function rememberUpload(upload: RememberedUpload): Promise<void> {
  await inStore('readwrite', (store) => store.put(upload)).catch(() => undefined);
}

export async function forgetUpload(id: string): Promise<void> {
  await inStore('readwrite', (store) => store.delete(id)).catch(() => undefined);
}

/** Those of one user, oldest first. */
export async function rememberedUploads(userId: string): Promise<RememberedUpload[]> {
  const all = await inStore('readonly', (store) => store.getAll() as IDBRequest<RememberedUpload[]>).catch(() => []);
  return all.filter((upload) => upload.userId === userId);
}

async function inStore<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const opening = indexedDB.open('reelstream.uploads', 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: 'id' });
  const database = await resultOf(opening);
  try {
    return await resultOf(work(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

function resultOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('the browser cannot store the upload'));
  });
}
