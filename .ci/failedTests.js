import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';

/** A jest reporter: writes a line for each failure, `file<tab>test`, to the file that FAILED_TESTS_FILE names. */
export default class FailedTests {
  onRunComplete(_contexts, { testResults }) {
    const lines = testResults.flatMap(({ testFilePath, testExecError, testResults: tests }) => {
      const failed = tests.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName);
      if (failed.length === 0 && testExecError !== undefined) failed.push('(the file did not run to its end)');
      return failed.map((name) => `${relative(process.cwd(), testFilePath)}\t${name.replaceAll(/\s+/g, ' ')}\n`);
    });
    writeFileSync(process.env['FAILED_TESTS_FILE'], lines.join(''));
  }
}
