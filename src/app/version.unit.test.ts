import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { openApiDocument } from '../http/documents/openapi.ts';
import { asyncApiDocument } from '../realtime/asyncapi.ts';

test('the OpenAPI and AsyncAPI documents carry the version in package.json', () => {
  const { version } = JSON.parse(readFileSync(`${import.meta.dirname}/../../package.json`, 'utf8')) as {
    version: string;
  };
  expect(openApiDocument([])).toMatchObject({ info: { version } });
  expect(asyncApiDocument({ rules: {}, topics: [] })).toMatchObject({ info: { version } });
});
