import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { createTurnSocket } from './turnSocket.ts';

test('what is written in one turn of the event loop waits for its end, and is then sent in its order', async () => {
  const server = createServer((peer) => peer.pipe(peer)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = createTurnSocket().setEncoding('utf8');
  try {
    socket.connect((server.address() as AddressInfo).port, '127.0.0.1');
    await once(socket, 'connect');
    for (const words of [
      ['one ', 'two ', 'three.'],
      ['four ', 'five.'],
    ]) {
      for (const word of words) {
        socket.write(word);
        await Promise.resolve();
        expect(socket.writableCorked).toBe(1);
      }
      let echo = '';
      while (!echo.endsWith('.')) echo += String(await once(socket, 'data'));
      expect(echo).toBe(words.join(''));
      expect(socket.writableCorked).toBe(0);
    }
  } finally {
    socket.destroy();
    server.close();
  }
});
