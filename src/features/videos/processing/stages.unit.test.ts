import { expect, test } from '@jest/globals';
import type { UploadProgress } from '../../../realtime/uploadProgress.ts';
import { progressOf } from './stages.ts';

test('progress rises from 0 to 100 through the stages, and never leaves that range', () => {
  const stages: UploadProgress['stage'][] = [
    'receiving',
    'checking',
    'storing',
    'transcoding',
    'thumbnail',
    'publishing',
    'ready',
  ];
  const way = stages.flatMap((stage) => [0, 0.5, 1].map((share) => progressOf(stage, share)));
  expect(way).toEqual([...way].sort((a, b) => a - b));
  expect([way[0], way.at(-1)]).toEqual([0, 100]);
  expect([progressOf('receiving', -1), progressOf('transcoding', 7)]).toEqual([0, 90]);
});
