import { expect, test } from '@jest/globals';
import { errorAnswer } from './errorReply.ts';

const facts = { requestId: 'r', conditional: false };
const undefinedColumn = Object.assign(new Error('column "comment_count" does not exist'), { code: '42703' });
const undefinedTable = Object.assign(new Error('relation "saves.saves" does not exist'), { code: '42P01' });

test.each([undefinedColumn, undefinedTable])(
  '$message: come back later, while a projection is being rebuilt',
  (error) => {
    const { status, headers, body } = errorAnswer(error, { ...facts, rebuilding: true });
    expect([status, headers['Retry-After']]).toEqual([503, '5']);
    expect(JSON.parse(String(body))).toMatchObject({ code: 'projection_rebuilding', statusCode: 503 });
    expect(String(body)).not.toContain(error.message);
  },
);

test.each([undefinedColumn, undefinedTable])('$message: a fault, while no projection is being rebuilt', (error) => {
  expect(errorAnswer(error, facts).status).toBe(500);
});

test('other faults stay faults while a projection is being rebuilt', () => {
  expect(errorAnswer(new TypeError('x is undefined'), { ...facts, rebuilding: true }).status).toBe(500);
});
