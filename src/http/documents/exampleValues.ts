/** Values that the examples of `/openapi.json` share, so that they fit together. */
export const exampleValues = {
  userId: '01980a3c-5b7e-7c41-9d2a-6f1e0b8c4d25',
  videoId: '01980a41-7d93-7a08-8f5b-2c9e4a6d1b30',
  olderVideoId: '01980a3f-0c52-7e6d-b1a4-93d7f0e85c12',
  newerVideoId: '01980a45-e1b8-7f27-a6c9-5d04b38f7e61',
  requestId: '7c0e2c1a-93b4-4c7e-9a55-0d8f2b6e4a19',
  created: '2025-07-14T09:30:00.000Z',
  updated: '2025-07-14T09:30:04.000Z',
  position: '1024',
} as const;
