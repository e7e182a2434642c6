import { once } from 'node:events';
import express from 'express';
import { listen } from './listen.ts';

export interface BareExpressSettings {
  readonly path: string;
  /** What it answers, as JSON. */
  readonly body: string;
}

/** One Express route that sends bytes from memory. */
const [{ path, body }] = (await once(process, 'message')) as [BareExpressSettings];
const bytes = Buffer.from(body);
const app = express();
app.get(path, (_request, response) => {
  response.type('json').send(bytes);
});
listen(app);
