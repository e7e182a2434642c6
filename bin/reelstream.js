#!/usr/bin/env node
// Plain JavaScript on purpose: it must parse on any Node, to say clearly that this one is too old.
import module from 'node:module';
import { fileURLToPath } from 'node:url';

const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  process.stderr.write(
    `ReelStream runs on Node 24 or newer, this is ${process.version}. On Linux, npm ci brings Node 24 along: use "npm start" or "npm run reelstream -- <command>" after it.\n`,
  );
  process.exit(1);
}
// Halves the time that a start takes to load. Beside the code, so that whoever could change one could change the other.
module.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/reelstream', import.meta.url)));
await import('../src/main.ts');
