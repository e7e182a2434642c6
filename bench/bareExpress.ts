import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';

/** What the benchmark `feed` compares with: one Express route that sends the bytes that it gets from the parent process. */
const [body] = (await once(process, 'message')) as [string];
const bytes = Buffer.from(body);
const app = express();
app.get('/api/v1/video', (_request, response) => {
  response.type('json').send(bytes);
});
const server = app.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
