import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';

/** What `readsBenchmark` compares with: one Express route that sends the bytes that it gets from the parent process. */
const [{ path, body }] = (await once(process, 'message')) as [{ path: string; body: string }];
const bytes = Buffer.from(body);
const app = express();
app.get(path, (_request, response) => {
  response.type('json').send(bytes);
});
const server = app.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
