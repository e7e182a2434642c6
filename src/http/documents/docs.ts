import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import express, { Router } from 'express';
import { pageHeaders } from '../reply/securityHeaders.ts';
import { docsHead, docsHeader, docsMark, docsStyles } from './docsLook.ts';

/** Swagger UI styles its elements inline; everything else comes from this server. */
const PAGE_HEADERS = pageHeaders({
  'script-src': ["'self'"],
  'style-src': ["'self'", "'unsafe-inline'"],
  'img-src': ["'self'", 'data:'],
  'font-src': ["'self'", 'data:'],
  'connect-src': ["'self'"],
});

const REALTIME_HEADERS = pageHeaders({ 'style-src': ["'self'"], 'img-src': ["'self'"] });

const PAGE = `<!doctype html>
<html lang="en">
<head>
<title>ReelStream API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
${docsHead}
</head>
<body>
${docsHeader('/docs')}
<main id="swagger-ui"></main>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

/**
 * Swagger UI has dark colours, but does not choose them by itself. It puts a link into the button of each operation, which
 * screen readers cannot tell apart: here it is only text.
 */
const START = `const dark = matchMedia('(prefers-color-scheme: dark)');
const choose = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', choose);
choose();
const noLinksInButtons = ({ React }) => ({
  wrapComponents: { DeepLink: () => ({ text }) => React.createElement('span', null, text) },
});
SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  validatorUrl: null,
  plugins: [noLinksInButtons],
});
`;

/** The folder of the package's files. Importing the package would run the code of the page in this process. */
const FILES = dirname(fileURLToPath(import.meta.resolve('swagger-ui-dist/package.json')));

/** The documentation of the real-time channel. */
export interface RealtimeDocs {
  /** AsyncAPI. */
  readonly document: object;
  /** HTML without scripts. Its styles are at `/docs/docs.css` and `/docs/realtime.css`. */
  readonly page: string;
  readonly styles: string;
}

/** Serves the documentation as pages, from files of the package: they work without the internet. */
export function docsHandler(realtime?: RealtimeDocs): Router {
  const router = Router();
  router.use((_request, response, next) => {
    response.set(PAGE_HEADERS);
    next();
  });
  router.get('/', (_request, response) => {
    response.type('html').send(PAGE);
  });
  router.get('/start.js', (_request, response) => {
    response.type('text/javascript').send(START);
  });
  router.get('/docs.css', (_request, response) => {
    response.type('css').send(docsStyles);
  });
  router.get('/mark.svg', (_request, response) => {
    response.type('svg').send(docsMark);
  });
  if (realtime !== undefined) {
    router.get('/realtime', (_request, response) => {
      response.set(REALTIME_HEADERS);
      response.type('html').send(realtime.page);
    });
    router.get('/realtime.css', (_request, response) => {
      response.type('css').send(realtime.styles);
    });
  }
  const files = express.static(FILES, { index: false, maxAge: '1h' });
  router.get(['/swagger-ui.css', '/swagger-ui-bundle.js'], files);
  return router;
}
