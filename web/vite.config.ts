import react from '@vitejs/plugin-react-swc';
import { defineConfig } from 'vite';

/** What the server of the API answers. Vite's own server passes it on during development. */
const API = ['/api', '/socket.io', '/media', '/docs', '/openapi.json', '/asyncapi.json', '/health'];
const server = process.env['API_URL'] ?? 'http://localhost:3000';

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  css: { modules: { localsConvention: 'camelCaseOnly' } },
  // The strict content policy of the page allows no data: scripts and styles, so nothing is inlined. hls.js alone has 600 kB.
  build: {
    target: 'es2024',
    assetsInlineLimit: 0,
    emptyOutDir: true,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 700,
  },
  server: {
    port: 5173,
    proxy: Object.fromEntries(API.map((path) => [path, { target: server, ws: path === '/socket.io' }])),
  },
});
