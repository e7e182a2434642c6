import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { Server } from '../servers.ts';

/** Starts a peer of this folder in a process of its own, with the settings that it waits for. */
export async function startPeer(file: string, settings: object): Promise<Server & AsyncDisposable> {
  const child = fork(new URL(file, import.meta.url), { env: { ...process.env, NODE_ENV: 'production' } });
  const ended = once(child, 'exit');
  child.send(settings);
  const port = await Promise.race([
    once(child, 'message').then(([message]) => message as number),
    ended.then(([code]) => Promise.reject(new Error(`the peer ${file} ended with ${code} while it started`))),
  ]);
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid!,
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await ended;
    },
  };
}
