import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';

/** The lines of a failure's message that are shown again at the end of the run. */
const SHOWN_LINES = 12;

/**
 * A jest reporter for .ci/run. It writes a line for each failure, `file<tab>test`, to the file that FAILED_TESTS_FILE
 * names, and the start of each message to the same name with `.messages`.
 */
export default class FailedTests {
  onRunComplete(_contexts, { testResults }) {
    const failures = testResults.flatMap((result) => {
      const file = relative(process.cwd(), result.testFilePath);
      const failed = result.testResults
        .filter(({ status }) => status === 'failed')
        .map(({ fullName, failureMessages }) => ({ file, name: fullName, message: failureMessages.join('\n') }));
      if (failed.length > 0 || result.testExecError === undefined) return failed;
      return [{ file, name: '(the file did not run to its end)', message: result.failureMessage ?? '' }];
    });
    const lines = failures.map(({ file, name }) => `${file}\t${name.replaceAll(/\s+/g, ' ')}\n`);
    const messages = failures.map(
      ({ file, name, message }) => `${file}: ${name}\n${message.split('\n').slice(0, SHOWN_LINES).join('\n')}\n\n`,
    );
    writeFileSync(process.env['FAILED_TESTS_FILE'], lines.join(''));
    writeFileSync(`${process.env['FAILED_TESTS_FILE']}.messages`, messages.join(''));
  }
}
