import { expect, test } from '@jest/globals';
import { collectingLog } from '../../tests/support/httpApp.ts';
import { createFailureLog } from './failureLog.ts';

const [DEBUG, WARN] = [20, 40];

test('a failure is logged when it begins and when its reason changes; repeats and stacks are logged at debug', () => {
  const { logger, lines } = collectingLog();
  const failed = createFailureLog(logger);
  for (let n = 0; n < 3; n++) failed(new Error('reading failed', { cause: new Error('ECONNREFUSED') }), 'trying again');
  failed(new Error('denied'), 'trying again');
  const warnings = lines.filter(({ level }) => level === WARN);
  expect(warnings.map(({ reason, stack }) => [reason, stack])).toEqual([
    ['reading failed: ECONNREFUSED', undefined],
    ['denied', undefined],
  ]);
  const details = lines.filter(({ level }) => level === DEBUG);
  expect(details).toHaveLength(4);
  for (const { stack } of details) expect(stack).toMatch(/failureLog\.unit\.test/);
});

test('the failing row in an error of PostgreSQL is not logged', () => {
  const { logger, lines } = collectingLog();
  createFailureLog(logger)(
    Object.assign(new Error('violates a constraint'), { detail: 'Failing row contains (Ada)' }),
    'trying again',
  );
  expect(JSON.stringify(lines)).not.toContain('Ada)');
});
