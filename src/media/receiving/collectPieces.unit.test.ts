import { PerformanceObserver, constants, type NodeGCPerformanceDetail, type PerformanceEntry } from 'node:perf_hooks';
import { test } from '@jest/globals';
import { eventually } from '../../../tests/support/eventually.ts';
import { pieceHasArrived } from './collectPieces.ts';

const MB = 1024 * 1024;

test('young objects are collected once for each 8 MB that arrive', async () => {
  let collected = 0;
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as (PerformanceEntry & { readonly detail: NodeGCPerformanceDetail })[])
      if (entry.detail.kind === constants.NODE_PERFORMANCE_GC_MINOR) collected++;
  });
  observer.observe({ entryTypes: ['gc'] });
  try {
    const piece = new Uint8Array(MB / 16);
    for (let bytes = 0; bytes < 400 * MB; bytes += piece.length) pieceHasArrived(piece);
    await eventually(() => collected >= 50, { what: '400 MB led to 50 collections' });
  } finally {
    observer.disconnect();
  }
});
