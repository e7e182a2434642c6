import type { Lock, Locker } from '@tus/server';
import { pause } from '../../../core/abortable.ts';
import { uploadLocked, type Uploads } from './uploads.ts';

/** Milliseconds between two signs of life of a holder. */
const KEEP_MS = 1_000;
/** Milliseconds between two tries to lock. */
const TRY_MS = 200;
/** Longer than a holder who is asked to release its lock needs, and than the lock of a dead process lasts. */
const LONGEST_WAIT_MS = 10_000;

/**
 * Locks uploads for all API processes, in their rows. A lock is a lease that its holder renews every second, so a
 * process that is killed frees it within seconds. Who waits for a lock asks its holder to release it: the holder may be
 * waiting for bytes of a connection that no longer exists.
 */
export function createUploadLocker(uploads: Uploads, holder: string): Locker {
  return {
    newLock: (id): Lock => {
      let timer: NodeJS.Timeout | undefined;
      return {
        async lock(signal, requestRelease) {
          const deadline = performance.now() + LONGEST_WAIT_MS;
          while ((await uploads.lock(id, holder)) === 'held') {
            if (performance.now() > deadline) throw uploadLocked();
            await pause(TRY_MS, signal);
            if (signal.aborted) throw uploadLocked();
          }
          timer = setInterval(() => {
            uploads.keepLock(id, holder).then(
              (isWanted) => void (isWanted && requestRelease()),
              // Without the database the lock ends by itself, and `addPart` finds out.
              () => undefined,
            );
          }, KEEP_MS).unref();
        },
        async unlock() {
          clearInterval(timer);
          // The lease ends soon anyway.
          await uploads.unlock(id, holder).catch(() => undefined);
        },
      };
    },
  };
}
