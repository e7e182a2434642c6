import { useEffect, useEffectEvent, useState } from 'react';
import { createConnection, type Connection, type ConnectionState, type LiveEvent } from './connection.ts';

/** The server sends the topic `log` only alone, so it has a connection of its own. */
const feed = createConnection();
const log = createConnection();

/**
 * Calls `onEvent` with the events of these topics, in order and each once, also across reconnects. It may also get events that
 * other parts of the page listen to: look at their type. `[]` listens to nothing.
 *
 * Calls `readAgain` when what was read may lack events that are not pushed any more: once it hears, and after it was away for too
 * long. What is shown must then be read again, as of this position or later.
 */
export function useLiveEvents(
  topics: readonly string[],
  onEvent: (event: LiveEvent) => void,
  readAgain: (position: string) => void,
): ConnectionState {
  return useListener(feed, topics.join(' '), onEvent, readAgain);
}

/** Every event of the log. Only for admins. */
export function useLogEvents(onEvent: (event: LiveEvent) => void, readAgain: () => void): ConnectionState {
  return useListener(log, 'log', onEvent, readAgain);
}

function useListener(
  connection: Connection,
  topics: string,
  onEvent: (event: LiveEvent) => void,
  readAgain: (position: string) => void,
): ConnectionState {
  const [state, setState] = useState<ConnectionState>('connecting');
  const handle = useEffectEvent(onEvent);
  const fill = useEffectEvent(readAgain);
  useEffect(() => {
    if (topics === '') return;
    return connection.listen({
      topics: topics.split(' '),
      onEvent: (event) => handle(event),
      onGap: (position) => fill(position),
      onState: setState,
    });
  }, [connection, topics]);
  return state;
}

export interface UploadProgress {
  readonly videoId: string;
  /** Percent; it ends at 100. */
  readonly progress: number;
  readonly stage: string;
}

/** The progress of the user's own uploads, as the server tells it. */
export function useUploadProgress(userId: string | undefined, onProgress: (progress: UploadProgress) => void): void {
  const handle = useEffectEvent(onProgress);
  useEffect(() => {
    if (userId === undefined) return;
    return feed.on<UploadProgress>(`uploadProgress-${userId}`, (progress) => handle(progress));
  }, [userId]);
}
