// Builds the page into web/dist, each file also compressed, so that the server only sends files. With --prepare (npm ci),
// a machine that cannot build it still gets a server, whose address / says what is missing.
import { chmod, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const TEXT = /\.(?:html|js|css|svg|json|txt)$/;
const folder = import.meta.dirname;
const preparing = process.argv.includes('--prepare');

try {
  const { build } = await import('vite');
  // A build that is killed leaves the page of the build before.
  const made = await mkdtemp(join(folder, '.dist-'));
  try {
    await build({ configFile: join(folder, 'vite.config.ts'), logLevel: 'warn', build: { outDir: made } });
    await compress(made);
    // mkdtemp closes the folder for others, who may run the server.
    await chmod(made, 0o755);
    await rm(join(folder, 'dist'), { recursive: true, force: true });
    await rename(made, join(folder, 'dist'));
  } finally {
    await rm(made, { recursive: true, force: true });
  }
} catch (error) {
  if (!preparing) throw error;
  const withoutTools = error.code === 'ERR_MODULE_NOT_FOUND';
  console.error(`The web page was not built${withoutTools ? ': development packages are not installed' : ''}.`);
  if (!withoutTools) console.error(error);
}

async function compress(root) {
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !TEXT.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = await readFile(path);
    const size = { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } };
    await writeFile(`${path}.br`, await promisify(brotliCompress)(bytes, size));
    await writeFile(`${path}.gz`, await promisify(gzip)(bytes, { level: 9 }));
  }
}
