#!/usr/bin/env -S MALLOC_MMAP_THRESHOLD_=4000000 node --max-semi-space-size=8
// Plain JavaScript, so that an old Node can parse it and print a clear message.
//
// --max-semi-space-size (MB): V8 lets young objects pile up to three times this size before it collects them. Its own limit is 16 MB.
// V8 takes this limit only from the command line, so it is in package.json and in the Dockerfile too
// (docs/adr/0060-memory-and-start.md).
//
// MALLOC_MMAP_THRESHOLD_ (bytes): memory in pieces larger than this goes back to the system when it is freed. Without this limit, glibc keeps
// the 20 MB that hashing a password takes.
import module from 'node:module';
import { fileURLToPath } from 'node:url';
import v8 from 'node:v8';

const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  process.stderr.write(
    `ReelStream needs Node 24 or newer, and this is ${process.version}. On Linux, npm ci installs Node 24: run "npm ci", then "npm start" or "npm run reelstream -- <command>".\n`,
  );
  process.exit(1);
}
// The heap may double before V8 collects all of it. V8 would let it grow to four times what is alive. While a process reads many events, it
// grows less (src/eventStore/heapGrowth.ts).
v8.setFlagsFromString('--heap-growing-percent=100');
// Young objects are collected by one thread. With several threads, a cached answer takes 8 % more processor time, and no rate was higher.
v8.setFlagsFromString('--no-parallel-scavenge');
// The compile cache halves the load time of a start. It is beside the code, so that only users who can change the code can change it.
module.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/reelstream', import.meta.url)));
await import('../src/main.ts');
