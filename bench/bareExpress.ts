import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';

/** The peer of the benchmark `feed`: one route, which sends the bytes that the parent process gives it, as Express documents it. */
const [body] = (await once(process, 'message')) as [string];
const bytes = Buffer.from(body);
const app = express();
app.get('/api/v1/video', (_request, response) => {
  response.type('json').send(bytes);
});
const server = app.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
